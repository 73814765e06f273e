use std::time::Duration;

use super::cleanup::Undo;
use super::context::Run;
use crate::adapters::engine::container::spec::{
    ContainerEnd, ContainerSpec, LABEL_AGENT, LABEL_JOB, LABEL_RUN, Network,
};
use crate::domain::platform::Platform;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Returns a container of this run: no network, no privilege, found again by its labels.
    pub(super) fn container(&self, name: &str, image: String, platform: Platform) -> ContainerSpec {
        let agent = self.services.agent();
        ContainerSpec {
            image,
            platform,
            command: Vec::new(),
            entrypoint: None,
            user: None,
            binds: Vec::new(),
            env: Vec::new(),
            network: Network::None,
            privileged: false,
            labels: vec![
                (LABEL_RUN.to_owned(), self.id.clone()),
                (LABEL_AGENT.to_owned(), agent.identity.clone()),
                (LABEL_JOB.to_owned(), agent.job.clone()),
            ],
            name: format!("falcon-patch-{}-{name}", self.id),
            limit: Duration::from_hours(1),
        }
    }

    /// Runs a container and removes it in any case.
    pub(super) async fn run_container(
        &self,
        spec: &ContainerSpec,
        events: &StepEvents,
    ) -> Result<ContainerEnd, Problem> {
        self.cleanup.push(Undo::Container(spec.name.clone()));
        Ok(self.services.engine()?.run(spec, events).await?)
    }

    pub(super) async fn engine_platform(&self) -> Result<Platform, Problem> {
        Ok(self.services.engine_facts().await?.platform)
    }
}
