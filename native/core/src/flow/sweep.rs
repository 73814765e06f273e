//! Removes what the runs of this job left for its end, and what earlier jobs of this agent left behind.
//!
//! Images stay until the end of the job, so that many steps of one job pull the sensor once.

use std::path::Path;
use std::time::Duration;

use crate::adapters::engine::client::{Engine, EngineSettings};
use crate::adapters::engine::container::spec::LABEL_AGENT;
use crate::adapters::engine::image::Removal;
use crate::adapters::journal::{Entry, Journal, JournalItem};
use crate::domain::agent::Agent;
use crate::report::problem::Problem;

/// The result of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// A phrase for each thing that was removed.
    pub removed: Vec<String>,
    /// A sentence for each thing that could not be removed.
    pub failed: Vec<String>,
}

/// Sweeps once. Without leftovers it touches nothing and does not connect to the engine.
pub async fn sweep(agent: &Agent) -> Sweep {
    let mut sweep = Sweep::default();
    if !agent.journal_folder().is_dir() {
        return sweep;
    }
    if let Err(problem) = sweep.all(agent).await {
        sweep.failed.push(problem.what);
    }
    sweep
}

impl Sweep {
    async fn all(&mut self, agent: &Agent) -> Result<(), Problem> {
        let journal = Journal::open(&agent.journal_folder(), &agent.owner())?;
        let mut files = vec![(journal.own_file(), journal.entries_of(&agent.job)?)];
        files.extend(
            journal
                .others()?
                .into_iter()
                .map(|left| (left.file, left.entries)),
        );
        files.retain(|(file, _)| file.exists());
        if files.is_empty() {
            return Ok(());
        }
        let settings = EngineSettings {
            docker_host: agent.docker_host.clone(),
            in_container_job: agent.in_container_job,
        };
        let engine = Engine::connect(&settings)?;
        self.containers(&engine, &agent.identity).await?;
        for (file, entries) in files {
            let failures = self.failed.len();
            // The last first, so that a name is removed before the image that it names.
            for entry in entries.iter().rev() {
                self.entry(&engine, entry).await;
            }
            if self.failed.len() == failures {
                journal.forget(&file)?;
            }
        }
        Ok(())
    }

    /// Removes what runs or ran for this agent: it runs one job at a time, so all of it belongs to this job, which is
    /// over, or to one that was cut off.
    async fn containers(&mut self, engine: &Engine, identity: &str) -> Result<(), Problem> {
        let label = [(LABEL_AGENT, identity)];
        for container in engine.containers_with(&label).await? {
            let removed = engine.remove_container(&container.id).await.map(|()| true);
            self.note(format!("container `{}`", container.name), removed);
        }
        // A container that is still being removed holds its image.
        for _ in 0..25 {
            if engine.containers_with(&label).await?.is_empty() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(())
    }

    async fn entry(&mut self, engine: &Engine, entry: &Entry) {
        match &entry.item {
            JournalItem::Image { reference } | JournalItem::Tag { reference } => {
                // An image that is in use by now is left alone.
                let removed = engine
                    .remove_image(reference)
                    .await
                    .map(|removal| removal == Removal::Removed);
                self.note(format!("image `{reference}`"), removed);
            }
            JournalItem::Container { name } => {
                let removed = match engine.has_container(name).await {
                    Ok(true) => engine.remove_container(name).await.map(|()| true),
                    other => other,
                };
                self.note(format!("container `{name}`"), removed);
            }
            JournalItem::Volume { name } => {
                let removed = engine.remove_volume(name).await;
                self.note(format!("volume `{name}`"), removed);
            }
            JournalItem::Folder { path } => {
                let name = format!("folder `{}`", path.display());
                self.note::<std::io::Error>(name, remove_folder(path).await);
            }
        }
    }

    fn note<E: std::error::Error>(&mut self, name: String, removed: Result<bool, E>) {
        match removed {
            Ok(true) => self.removed.push(name),
            Ok(false) => {}
            Err(error) => self.failed.push(format!("{name}: {error}")),
        }
    }
}

async fn remove_folder(path: &Path) -> std::io::Result<bool> {
    match tokio::fs::remove_dir_all(path).await {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}
