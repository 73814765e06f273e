//! The ECS task definition with the patched image in it: written, and registered.

use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::cleanup::Undo;
use super::context::Run;
use super::results::produced;
use super::step_outcome::StepOutcome;
use super::written_task_definition::WrittenTaskDefinition;
use crate::adapters::aws::delivery::Delivery;
use crate::adapters::journal::JournalItem;
use crate::adapters::output_file::OutputFile;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::look::ecs::FileError;
use crate::flow::plan::ready::Ready;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn write_task_definition(
        &self,
        image: &RegistryImage,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let definition = produced(ready.task_definition, "an ECS task definition")?;
        let image = ready.target.repository.at(&image.digest);
        let text = definition.with_image(&image);
        let path = self.task_definition_path(definition).await?;
        let begun = Effect::TaskDefinitionBegun { path: path.clone() };
        self.effects.begin(&begun);
        self.write_file(&path, &text).await?;
        events.note(format!("container `{}` runs {image}", definition.container));
        let written = Effect::TaskDefinitionWritten { path: path.clone() };
        self.effects.complete(&begun, written);
        Ok(StepOutcome::TaskDefinition(WrittenTaskDefinition {
            family: definition.family.clone(),
            path,
            text,
            revision: None,
        }))
    }

    pub(super) async fn register_task_definition(
        &self,
        written: &WrittenTaskDefinition,
        target: &Repository,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let WrittenTaskDefinition { family, text, .. } = written;
        let aws = self.services.aws().await?;
        let region = aws.region().map(str::to_owned);
        // The inputs take only ECR as the target, and each of its registries is in a region.
        let region = region.or_else(|| target.ecr().map(|host| host.region));
        let region = produced(region, "the region of the target")?;
        let begun = Effect::RegistrationBegun {
            family: family.clone(),
        };
        self.effects.begin(&begun);
        let delivery = Delivery::default();
        let registered = aws.register_task_definition(&region, family, text.clone(), &delivery);
        let registered = registered.await;
        // A try whose answer was lost may have made a revision of its own, beside that of the last one.
        if delivery.carried_out_at_most() == u32::from(registered.is_ok()) {
            self.effects.withdraw(&begun);
        }
        let revision = registered?;
        events.note(format!("revision {} in {region}", revision.number));
        self.effects.add(Effect::TaskDefinitionRegistered {
            arn: revision.arn.clone(),
        });
        Ok(StepOutcome::TaskDefinition(WrittenTaskDefinition {
            revision: Some(revision),
            ..written.clone()
        }))
    }

    /// Writes a file beside its place and renames it, so that a run that is killed leaves no half of it.
    async fn write_file(&self, path: &Path, text: &str) -> Result<(), Problem> {
        let roots = self.services.agent().roots();
        let file = OutputFile::locate(path, &roots);
        let file = file.map_err(|source| not_writable(path, source))?;
        let draft = file.draft(&self.id);
        self.record(JournalItem::File {
            path: draft.clone(),
        })?;
        self.cleanup.push(Undo::File(draft.clone()));
        let text = text.to_owned();
        let writing = spawn_blocking(move || file.replace(&draft, text.as_bytes()));
        let written = writing.await.unwrap_or_else(|error| Err(error.into()));
        written.map_err(|source| not_writable(path, source))
    }

    /// Returns the path of the finished definition: the input's, or one in a folder that stays until the end of the job.
    async fn task_definition_path(&self, definition: &TaskDefinition) -> Result<PathBuf, Problem> {
        let wanted = self.config.task_definition.as_ref();
        if let Some(path) = wanted.and_then(|file| file.output.clone()) {
            return Ok(path);
        }
        let temp = &self.services.agent().temp_folder;
        let folder = temp.join(format!("falcon-ecs-{}", self.id));
        self.record(JournalItem::Folder {
            path: folder.clone(),
        })?;
        let path = folder.join(format!("{}.json", definition.family));
        let made = tokio::fs::create_dir(&folder).await;
        made.map_err(|source| not_writable(&path, source))?;
        Ok(path)
    }
}

fn not_writable(path: &Path, source: std::io::Error) -> Problem {
    FileError::NotWritable {
        path: path.to_owned(),
        source,
    }
    .into()
}

#[cfg(test)]
mod tests;
