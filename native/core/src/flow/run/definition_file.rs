//! Writes the finished ECS task definition.

use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::cleanup::{Cleanup, Undo};
use super::effects::Effects;
use crate::adapters::journal::{Journal, JournalItem};
use crate::adapters::output_file::OutputFile;
use crate::domain::agent::Agent;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::flow::effect::Effect;
use crate::flow::look::ecs::FileError;
use crate::report::problem::Problem;

/// The parts of a run that write the file.
pub(super) struct DefinitionFile<'a> {
    /// The ID of the run.
    pub(super) run: &'a str,
    pub(super) journal: &'a Journal,
    pub(super) cleanup: &'a Cleanup,
    pub(super) effects: &'a Effects,
    pub(super) agent: &'a Agent,
}

impl DefinitionFile<'_> {
    /// Writes `text` to `output`, or to a file in a folder that stays until the end of the job, and returns the path.
    pub(super) async fn write(
        &self,
        definition: &TaskDefinition,
        output: Option<&Path>,
        text: &str,
    ) -> Result<PathBuf, Problem> {
        let path = self.path(definition, output).await?;
        let begun = Effect::TaskDefinitionBegun { path: path.clone() };
        self.effects.begin(&begun);
        self.replace(&path, text).await?;
        let written = Effect::TaskDefinitionWritten { path: path.clone() };
        self.effects.complete(&begun, written);
        Ok(path)
    }

    /// Writes a file beside its place and renames it, so that a run that is killed leaves no half of it.
    pub(super) async fn replace(&self, path: &Path, text: &str) -> Result<(), Problem> {
        let file = OutputFile::locate(path, &self.agent.roots());
        let file = file.map_err(|source| not_writable(path, source))?;
        let draft = file.draft(self.run);
        self.record(JournalItem::File {
            path: draft.clone(),
        })?;
        self.cleanup.push(Undo::File(draft.clone()));
        let text = text.to_owned();
        let writing = spawn_blocking(move || file.replace(&draft, text.as_bytes()));
        let written = writing.await.unwrap_or_else(|error| Err(error.into()));
        written.map_err(|source| not_writable(path, source))
    }

    async fn path(
        &self,
        definition: &TaskDefinition,
        output: Option<&Path>,
    ) -> Result<PathBuf, Problem> {
        if let Some(path) = output {
            return Ok(path.to_owned());
        }
        let folder = self
            .agent
            .temp_folder
            .join(format!("falcon-ecs-{}", self.run));
        self.record(JournalItem::Handover {
            path: folder.clone(),
        })?;
        let path = folder.join(format!("{}.json", definition.family));
        let made = tokio::fs::create_dir(&folder).await;
        made.map_err(|source| not_writable(&path, source))?;
        Ok(path)
    }

    fn record(&self, item: JournalItem) -> Result<(), Problem> {
        Ok(self.journal.record(self.run, item)?)
    }
}

fn not_writable(path: &Path, source: std::io::Error) -> Problem {
    FileError::NotWritable {
        path: path.to_owned(),
        source,
    }
    .into()
}
