use std::path::PathBuf;

use super::session::DeploySession;
use crate::adapters::aws::ecs::client::Ecs;
use crate::adapters::journal::Journal;
use crate::domain::aws::revision::Revision;
use crate::flow::outcome::{Deployed, DeploymentResult, Ending};
use crate::flow::run::cleanup::Cleanup;
use crate::flow::run::definition_file::DefinitionFile;
use crate::flow::run::effects::Effects;
use crate::flow::run::step_log::StepFailure;
use crate::report::problem::Problem;

/// A deployment that changes things: everything that its steps share.
pub(super) struct DeployRun {
    pub(super) session: DeploySession,
    pub(super) ecs: Ecs,
    pub(super) effects: Effects,
    id: String,
    journal: Journal,
    cleanup: Cleanup,
}

/// The products of a deployment.
pub(super) struct Products {
    pub(super) result: DeploymentResult,
    pub(super) changed: bool,
    pub(super) deployment: Option<String>,
    pub(super) revision: Option<Revision>,
    pub(super) path: Option<PathBuf>,
}

impl DeployRun {
    /// Opens the journal: from here on the end of the job knows that there may be something to sweep.
    pub(super) fn open(session: DeploySession, ecs: Ecs) -> Result<Self, Problem> {
        let agent = session.services.agent();
        Ok(Self {
            id: uuid::Uuid::new_v4().simple().to_string()[..12].to_owned(),
            journal: Journal::open(&agent.journal_folder(), &agent.owner())?,
            session,
            ecs,
            effects: Effects::default(),
            cleanup: Cleanup::default(),
        })
    }

    pub(super) fn definition_file(&self) -> DefinitionFile<'_> {
        DefinitionFile {
            run: &self.id,
            journal: &self.journal,
            cleanup: &self.cleanup,
            effects: &self.effects,
            agent: self.session.services.agent(),
        }
    }

    /// The cluster and the service, as ECS takes them.
    pub(super) fn subject(&self) -> (&str, &str) {
        let config = &self.session.config;
        (&config.cluster.text, &config.service.text)
    }

    /// Cleans up, and returns the one result of the run; without an outcome it was cancelled.
    pub(super) async fn end(self, ended: Option<Result<Deployed, StepFailure>>) -> Ending {
        let journal = (&self.journal, self.id.as_str());
        let cleanup = self
            .cleanup
            .finish(None, journal, &self.session.events)
            .await;
        let effects = self.effects.into_inner();
        match ended {
            Some(Ok(deployed)) => Ending::Deployed(Box::new(Deployed {
                effects,
                cleanup,
                ..deployed
            })),
            Some(Err(failure)) => failure.ending(effects, cleanup),
            None => Ending::Cancelled { effects, cleanup },
        }
    }
}
