use std::path::PathBuf;

use super::cleanup::{Cleanup, Undo};
use super::definition_file::DefinitionFile;
use super::effects::Effects;
use super::session::Session;
use super::step_log::{StepFailure, StepLog};
use crate::adapters::journal::{Journal, JournalItem};
use crate::flow::config::patch::PatchConfig;
use crate::flow::outcome::{Ending, Outcome};
use crate::flow::services::Services;
use crate::report::event::Events;
use crate::report::problem::Problem;

/// A run that changes things: everything that its steps share.
pub(super) struct Run {
    pub(super) id: String,
    pub(super) config: PatchConfig,
    pub(super) services: Services,
    pub(super) events: Events,
    pub(super) steps: StepLog,
    journal: Journal,
    pub(super) cleanup: Cleanup,
    pub(super) effects: Effects,
}

impl Run {
    /// Opens the journal: from here on the end of the job knows that there may be something to sweep.
    pub(super) fn open(session: Session) -> Result<Self, Problem> {
        let agent = session.services.agent();
        Ok(Self {
            id: uuid::Uuid::new_v4().simple().to_string()[..12].to_owned(),
            journal: Journal::open(&agent.journal_folder(), &agent.owner())?,
            config: session.config,
            services: session.services,
            events: session.events,
            steps: session.steps,
            cleanup: Cleanup::default(),
            effects: Effects::default(),
        })
    }

    /// Records that the run may leave something in the engine, or in its folder. The sweep asks no engine for a run that
    /// did not use one.
    pub(super) fn expect_engine(&self) -> Result<(), Problem> {
        self.record(JournalItem::Engine)?;
        let path = self.folder();
        self.record(JournalItem::Folder { path: path.clone() })?;
        self.cleanup.push(Undo::Folder(path));
        Ok(())
    }

    /// Records in the journal what is about to be created and can carry no label.
    pub(super) fn record(&self, item: JournalItem) -> Result<(), Problem> {
        Ok(self.journal.record(&self.id, item)?)
    }

    /// Records in the journal that what was about to be created needs no removal any more.
    pub(super) fn settle(&self, item: JournalItem) -> Result<(), Problem> {
        Ok(self.journal.settle(&self.id, item)?)
    }

    /// The way to write the ECS task definition.
    pub(super) fn definition_file(&self) -> DefinitionFile<'_> {
        DefinitionFile {
            run: &self.id,
            journal: &self.journal,
            cleanup: &self.cleanup,
            effects: &self.effects,
            agent: self.services.agent(),
        }
    }

    /// The temporary folder of this run; it exists only while something is in it.
    pub(super) fn folder(&self) -> PathBuf {
        let temp = &self.services.agent().temp_folder;
        temp.join(format!("falcon-patch-{}", self.id))
    }

    /// Cleans up, and returns the one result of the run; without an outcome it was cancelled.
    pub(super) async fn end(self, ended: Option<Result<Outcome, StepFailure>>) -> Ending {
        if let Some(Ok(_)) = &ended {
            self.keep_builder();
        }
        let engine = self.services.engine().ok();
        let journal = (&self.journal, self.id.as_str());
        let cleanup = self.cleanup.finish(engine, journal, &self.events).await;
        let effects = self.effects.into_inner();
        match ended {
            Some(Ok(outcome)) => Ending::Done(Box::new(Outcome {
                effects,
                cleanup,
                ..outcome
            })),
            Some(Err(failure)) => failure.ending(effects, cleanup),
            None => Ending::Cancelled { effects, cleanup },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Run;
    use crate::domain::reference::repository::Repository;
    use crate::flow::effect::Effect;
    use crate::flow::outcome::{Ending, Outcome};
    use crate::flow::run::session::Session;
    use crate::flow::run::step_log::StepFailure;
    use crate::report::code::Code;
    use crate::report::event::Events;
    use crate::report::panic::guarded;
    use crate::report::problem::Problem;
    use crate::test_support::agent::agent;
    use crate::test_support::config::config;

    #[tokio::test]
    async fn a_panic_in_a_step_is_told_with_the_effects_and_cleaned_up_after() {
        let place = tempfile::tempdir().expect("a folder");
        let agent = agent(place.path());
        let session = Session::new(config(|_| ()), agent, Events::silent());
        let run = Run::open(session).expect("a run");
        run.expect_engine().expect("a journal");
        let folder = run.folder();
        let effect = Effect::RepositoryCreated {
            repository: Repository::new("registry.example", "app/web"),
        };
        let work = async {
            let act = |_| async {
                std::fs::create_dir_all(&folder).expect("a folder");
                run.effects.add(effect.clone());
                assert!(!folder.exists(), "a bug");
                Ok::<_, Problem>(())
            };
            run.steps.run("Do it", act).await?;
            unreachable!("the step panicked")
        };
        let ended: Result<Outcome, StepFailure> = guarded(work).await;
        let Ending::Failed(failure) = run.end(Some(ended)).await else {
            panic!("a failure was expected")
        };
        assert_eq!(failure.problem.code, Code::TaskInternal);
        assert_eq!(failure.step.as_deref(), Some("Do it"));
        assert_eq!(failure.effects, [effect]);
        assert!(failure.cleanup.is_empty());
        assert!(!folder.exists());
    }
}
