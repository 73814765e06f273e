//! Removes what the runs of this job left for its end, and what earlier jobs of this agent left behind.
//!
//! Images stay until the end of the job, so that many steps of one job pull the sensor once.

use std::collections::HashSet;
use std::io;
use std::time::Duration;

use crate::adapters::engine::client::{Engine, EngineSettings};
use crate::adapters::engine::container::spec::LABEL_AGENT;
use crate::adapters::engine::image::Removal;
use crate::adapters::journal::{Journal, JournalItem, Leftover};
use crate::domain::agent::Agent;
use crate::report::problem::Problem;

/// Looks for containers, also for one that is being removed: five seconds of them.
const CONTAINER_LOOKS: usize = 25;

/// Looks at an engine without a container after a run that was cut off: two seconds of them. By then the engine has
/// created the container that the run asked for last.
const QUIET_LOOKS: usize = 10;

/// Looks for an image whose pull was cut off: two seconds of them. By then the engine has dropped the pull or finished it.
const PULL_LOOKS: usize = 10;

const BETWEEN_LOOKS: Duration = Duration::from_millis(200);

/// The result of a sweep.
#[derive(Clone, Debug, Default)]
pub struct Sweep {
    /// A phrase for each thing that was removed.
    pub removed: Vec<String>,
    /// A sentence for each thing that could not be removed.
    pub failed: Vec<String>,
    /// Images that something else uses now.
    used: Vec<JournalItem>,
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
        let mut leftovers = vec![Leftover {
            file: journal.own_file(),
            entries: journal.entries_of(&agent.job)?,
        }];
        leftovers.extend(journal.others()?);
        leftovers.retain(|leftover| leftover.file.exists());
        if leftovers.is_empty() {
            return Ok(());
        }
        // What is on the disk is removed even where no engine answers; the journal keeps the rest for a later sweep.
        let mut done = Vec::new();
        for leftover in &leftovers {
            let failures = self.failed.len();
            for entry in leftover.entries.iter().rev() {
                self.disk(&entry.item).await;
            }
            done.push(self.failed.len() == failures);
        }
        if !concern_engine(&leftovers) {
            for (leftover, is_done) in leftovers.iter().zip(done) {
                if is_done {
                    journal.forget(&leftover.file)?;
                }
            }
            return Ok(());
        }
        let settings = EngineSettings {
            docker_host: agent.docker_host.clone(),
            docker_certificates: agent.docker_certificates.clone(),
            in_container_job: agent.in_container_job,
        };
        let engine = Engine::connect(&settings)?;
        self.containers(&engine, &agent.identity, was_cut_off(&leftovers))
            .await?;
        self.interrupted_pulls(&engine, &leftovers).await;
        for (leftover, is_done) in leftovers.iter().zip(done) {
            let failures = self.failed.len();
            // The last first, so that a name is removed before the image that it names.
            for entry in leftover.entries.iter().rev() {
                self.engine(&engine, &entry.item).await;
            }
            if is_done && self.failed.len() == failures {
                journal.forget(&leftover.file)?;
            }
        }
        // The next job of this agent tries again.
        for item in self.used.drain(..) {
            journal.record("used", item)?;
        }
        Ok(())
    }

    /// Removes what runs or ran for this agent: it runs one job at a time, so all of it belongs to this job, which is
    /// over, or to one that was cut off.
    async fn containers(
        &mut self,
        engine: &Engine,
        identity: &str,
        was_cut_off: bool,
    ) -> Result<(), Problem> {
        let label = [(LABEL_AGENT, identity)];
        let needed = if was_cut_off { QUIET_LOOKS } else { 1 };
        let mut known = HashSet::new();
        let mut quiet = 0;
        for _ in 0..CONTAINER_LOOKS {
            let found = engine.containers_with(&label).await?;
            quiet = if found.is_empty() { quiet + 1 } else { 0 };
            if quiet == needed {
                break;
            }
            for container in found {
                // A container that is still being removed holds its image, so it is waited for.
                if known.insert(container.id.clone()) {
                    let removed = engine.remove_container(&container.id).await.map(|()| true);
                    self.note(format!("container `{}`", container.name), removed);
                }
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
        Ok(())
    }

    /// Removes images whose pull was cut off, which the engine may finish a moment later.
    async fn interrupted_pulls(&mut self, engine: &Engine, leftovers: &[Leftover]) {
        let entries = leftovers.iter().flat_map(|leftover| &leftover.entries);
        let mut pulls: HashSet<&str> = entries
            .filter_map(|entry| match &entry.item {
                JournalItem::Pull { reference } => Some(reference.as_str()),
                _ => None,
            })
            .collect();
        for _ in 0..PULL_LOOKS {
            let mut absent = HashSet::new();
            for reference in pulls {
                match engine.remove_image(reference).await {
                    Ok(Removal::Absent) => {
                        absent.insert(reference);
                    }
                    Ok(Removal::Removed) => self.removed.push(format!("image `{reference}`")),
                    // The entry of the image itself meets the same, and reports it.
                    Ok(Removal::InUse { .. }) | Err(_) => {}
                }
            }
            pulls = absent;
            if pulls.is_empty() {
                break;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    /// Removes an item of the engine.
    async fn engine(&mut self, engine: &Engine, item: &JournalItem) {
        match item {
            JournalItem::Image { reference } | JournalItem::Tag { reference } => {
                let removed = engine.remove_image(reference).await;
                if matches!(removed, Ok(Removal::InUse { .. })) {
                    self.used.push(item.clone());
                }
                let removed = removed.map(|removal| removal == Removal::Removed);
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
            JournalItem::Engine
            | JournalItem::Pull { .. }
            | JournalItem::Folder { .. }
            | JournalItem::Handover { .. }
            | JournalItem::File { .. } => {}
        }
    }

    /// Removes an item of this machine's disk.
    async fn disk(&mut self, item: &JournalItem) {
        let (name, removed) = match item {
            JournalItem::Folder { path } | JournalItem::Handover { path } => (
                format!("folder `{}`", path.display()),
                tokio::fs::remove_dir_all(path).await,
            ),
            JournalItem::File { path } => (
                format!("file `{}`", path.display()),
                tokio::fs::remove_file(path).await,
            ),
            JournalItem::Image { .. }
            | JournalItem::Tag { .. }
            | JournalItem::Pull { .. }
            | JournalItem::Engine
            | JournalItem::Container { .. }
            | JournalItem::Volume { .. } => return,
        };
        let removed = match removed {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        };
        self.note(name, removed);
    }

    fn note<E: std::error::Error>(&mut self, name: String, removed: Result<bool, E>) {
        match removed {
            Ok(true) => self.removed.push(name),
            Ok(false) => {}
            Err(error) => self.failed.push(format!("{name}: {error}")),
        }
    }
}

/// Returns true if a run used the engine. One of an earlier version of the task shows it by its other entries.
fn concern_engine(leftovers: &[Leftover]) -> bool {
    let mut entries = leftovers.iter().flat_map(|leftover| &leftover.entries);
    entries.any(|entry| {
        !matches!(
            entry.item,
            JournalItem::File { .. } | JournalItem::Handover { .. }
        )
    })
}

/// Returns true if a run was cut off: one that ends removes its folder from the journal.
fn was_cut_off(leftovers: &[Leftover]) -> bool {
    let mut entries = leftovers.iter().flat_map(|leftover| &leftover.entries);
    entries.any(|entry| matches!(entry.item, JournalItem::Folder { .. }))
}

#[cfg(test)]
mod tests;
