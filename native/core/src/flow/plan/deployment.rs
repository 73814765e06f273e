//! Decides on a deployment, from the facts alone.

use crate::domain::aws::registered_definition::RegisteredDefinition;
use crate::domain::ecs::deployment::service::{Rollout, Service};
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::flow::config::deploy::DeployConfig;
use crate::flow::facts::service::ServiceFacts;
use crate::report::event::PlannedStage;
use crate::report::problem::Problem;

/// A deployment that is possible.
#[derive(Clone, Copy, Debug)]
pub struct DeploymentPlan<'a> {
    /// The service, as it was before.
    pub service: &'a Service,
    /// The revision that it is set to.
    pub current: &'a RegisteredDefinition,
    /// The definition that gets the image.
    pub definition: &'a TaskDefinition,
    /// The work that is left.
    pub need: Need,
}

/// The work that a deployment needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// None: the service runs the definition with this image.
    Nothing,
    /// A deployment of the current revision.
    Restart(Cause),
    /// A revision, and its deployment.
    Revision,
}

/// The reason to deploy the current revision again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// `forceNewDeployment` is true.
    Forced,
    /// Its deployment failed or is not done.
    NotCompleted,
}

/// Decides on the deployment of `image`, a reference by digest.
///
/// # Errors
/// The first reason why it is not possible.
pub fn decide<'a>(
    config: &DeployConfig,
    facts: &'a ServiceFacts,
    image: &str,
) -> Result<DeploymentPlan<'a>, Problem> {
    let service = facts.service.as_ref().map_err(Clone::clone)?;
    service.check()?;
    let definition = facts.definition.as_ref().map_err(Clone::clone)?;
    let current = facts.current.as_ref().map_err(Clone::clone)?;
    let is_same = current.is_active && definition.is_registered_as(&current.answer, image);
    let need = if !is_same {
        Need::Revision
    } else if config.force {
        Need::Restart(Cause::Forced)
    } else if is_completed(service, current) {
        Need::Nothing
    } else {
        Need::Restart(Cause::NotCompleted)
    };
    Ok(DeploymentPlan {
        service,
        current,
        definition,
        need,
    })
}

/// Returns true if the revision is deployed to the end: one whose deployment failed heals only by another.
fn is_completed(service: &Service, current: &RegisteredDefinition) -> bool {
    service.primary().is_some_and(|primary| {
        let is_done = match &primary.rollout {
            Some(rollout) => *rollout == Rollout::Completed,
            None => primary.running == primary.desired && primary.pending == 0,
        };
        is_done && primary.task_definition == current.revision.arn
    })
}

impl DeploymentPlan<'_> {
    /// Returns the plan in words.
    #[must_use]
    pub fn stages(&self, config: &DeployConfig) -> Vec<PlannedStage> {
        let (service, family) = (&self.service.name, &self.definition.family);
        let mut steps = Vec::new();
        if self.need == Need::Revision {
            steps.push(write_title().to_owned());
            steps.push(register_title(family));
        }
        if self.need != Need::Nothing {
            steps.push(update_title(service));
            if config.waits {
                steps.push(wait_title(service));
            }
        }
        let stage = |step| PlannedStage {
            steps: vec![step],
            only_if: None,
        };
        steps.into_iter().map(stage).collect()
    }
}

/// The title of the step that writes the definition.
#[must_use]
pub fn write_title() -> &'static str {
    "Write the ECS task definition"
}

/// The title of the step that registers it.
#[must_use]
pub fn register_title(family: &str) -> String {
    format!("Register a revision of the ECS task definition {family}")
}

/// The title of the step that updates the service.
#[must_use]
pub fn update_title(service: &str) -> String {
    format!("Update the ECS service {service}")
}

/// The title of the step that waits.
#[must_use]
pub fn wait_title(service: &str) -> String {
    format!("Wait for the deployment of {service}")
}
