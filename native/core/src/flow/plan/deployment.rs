//! Decides on a deployment, from the facts alone.

use crate::domain::aws::registered_definition::RegisteredDefinition;
use crate::domain::ecs::deployment::service::{Rollout, Service};
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::flow::config::deploy::DeployConfig;
use crate::flow::facts::service::{CurrentRecord, ServiceFacts};
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
    /// To watch the deployment that is under way, which is of this definition with this image.
    Watch,
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
    /// Its deployment failed or was replaced.
    NotRunning,
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
    } else {
        let record = facts.record.as_ref().map_err(Clone::clone)?;
        need_of_same(service, current, record)
    };
    Ok(DeploymentPlan {
        service,
        current,
        definition,
        need,
    })
}

/// Decides on a revision that is the same already, by the state of its deployment: one that failed heals only by another.
fn need_of_same(service: &Service, current: &RegisteredDefinition, record: &CurrentRecord) -> Need {
    let primary = service.primary();
    let Some(primary) = primary.filter(|primary| primary.task_definition == current.revision.arn)
    else {
        return Need::Restart(Cause::NotRunning);
    };
    if let CurrentRecord::Read(detail) = record
        && detail.can_be_of(primary)
    {
        if detail.is_under_way() {
            return Need::Watch;
        }
        if detail.has_failed() {
            return Need::Restart(Cause::NotRunning);
        }
    }
    match primary.rollout {
        Some(Rollout::Completed) => Need::Nothing,
        None if primary.running == primary.desired => Need::Nothing,
        Some(Rollout::Failed) => Need::Restart(Cause::NotRunning),
        Some(Rollout::InProgress | Rollout::Other(_)) | None => Need::Watch,
    }
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
        if matches!(self.need, Need::Revision | Need::Restart(_)) {
            steps.push(update_title(service));
        }
        if self.need != Need::Nothing && config.waits {
            steps.push(wait_title(service));
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
