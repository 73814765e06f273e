use super::pace::Pace;
use crate::adapters::aws::account::Aws;
use crate::adapters::aws::ecs::client::Ecs;
use crate::flow::config::deploy::DeployConfig;
use crate::flow::facts::service::ServiceFacts;
use crate::flow::look::service::{ecs, gather};
use crate::flow::outcome::Verified;
use crate::flow::plan::deployment::{Cause, Need, decide};
use crate::flow::run::step_log::{StepFailure, StepLog};
use crate::flow::run::verify::gate;
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::event::{Events, StepEvents};
use crate::report::problem::Problem;

/// A deployment that looks and has not changed anything yet.
pub(in crate::flow::run) struct DeploySession {
    pub(super) config: DeployConfig,
    pub(super) services: Services,
    pub(super) events: Events,
    pub(super) steps: StepLog,
    pub(super) pace: Pace,
}

/// The results of the look.
pub(super) struct Looked {
    pub(super) image: Verified,
    pub(super) facts: ServiceFacts,
    pub(super) ecs: Ecs,
}

impl DeploySession {
    pub(in crate::flow::run) fn new(
        config: DeployConfig,
        services: Services,
        events: Events,
        pace: Pace,
    ) -> Self {
        Self {
            config,
            services,
            steps: StepLog::new(events.clone()),
            events,
            pace,
        }
    }

    /// Verifies the image, then gathers the facts; fails where the deployment is impossible.
    pub(super) async fn look(&self) -> Result<Box<Looked>, StepFailure> {
        let image = gate(&self.config.verify, &self.services, &self.steps).await?;
        let look = |events| async move { self.look_at_service(image, events).await };
        self.steps.run("Look at the ECS service", look).await
    }

    /// Gathers the facts about the service, and checks all of them.
    pub(super) async fn look_at_service(
        &self,
        image: Verified,
        events: StepEvents,
    ) -> Result<Box<Looked>, Problem> {
        let ecs = ecs(&self.config, &self.services).await?;
        let roots = self.services.agent().roots();
        let facts = Box::pin(gather(&self.config, &ecs, &roots)).await;
        let aws = self.services.aws().await.ok();
        if let Some(origin) = aws.map(Aws::origin) {
            events.note(format!("AWS: {}, credentials from {origin}", ecs.region()));
        }
        for line in facts.lines() {
            events.note(line);
        }
        for line in facts.news() {
            events.news(line);
        }
        let reference = image.repository.at(&image.digest);
        let plan = decide(&self.config, &facts, &reference)?;
        for warning in &plan.definition.warnings {
            events.warning(warning.code, &warning.message, None);
        }
        match plan.need {
            Need::Nothing => events.news("Nothing to deploy: the service runs this definition with this image"),
            Need::Restart(Cause::Forced) => events.news("The service runs this definition with this image, and `forceNewDeployment` starts it again"),
            Need::Restart(Cause::NotRunning) => events.news("The service is set to this definition with this image, and does not run it; it is deployed again"),
            Need::Watch => events.news("A deployment of this definition with this image is under way already"),
            Need::Revision => {}
        }
        if plan.need != Need::Nothing && plan.service.guards.are_missing() {
            let command = self.update_command(ecs.region());
            warn_of_missing_guards(&plan.service.name, &command, &events);
        }
        Ok(Box::new(Looked { image, facts, ecs }))
    }

    /// The beginning of the command that changes the service.
    pub(super) fn update_command(&self, region: &str) -> String {
        let DeployConfig {
            cluster, service, ..
        } = &self.config;
        format!(
            "aws ecs update-service --region {region} --cluster {} --service {}",
            cluster.text, service.text
        )
    }
}

fn warn_of_missing_guards(service: &str, command: &str, events: &StepEvents) {
    events.warning(
        Code::EcsServiceUnguarded,
        format!("The service `{service}` has neither a deployment circuit breaker nor alarms, so ECS would retry a broken deployment without end"),
        Some(format!("Enable the circuit breaker with rollback: `{command} --deployment-configuration 'deploymentCircuitBreaker={{enable=true,rollback=true}}'`")),
    );
}
