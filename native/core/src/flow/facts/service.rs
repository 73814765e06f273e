use super::fact::Fact;
use super::lines::definition_lines;
use crate::domain::aws::registered_definition::RegisteredDefinition;
use crate::domain::ecs::deployment::detail::Detail;
use crate::domain::ecs::deployment::service::Service;
use crate::domain::ecs::task_definition::TaskDefinition;

/// The facts that a deployment depends on, beside those of the verification.
#[derive(Clone, Debug)]
pub struct ServiceFacts {
    /// The service.
    pub service: Fact<Service>,
    /// The revision that it is set to.
    pub current: Fact<RegisteredDefinition>,
    /// The record of its current deployment.
    pub record: Fact<CurrentRecord>,
    /// The definition that gets the image.
    pub definition: Fact<TaskDefinition>,
}

/// The record of a service's current deployment, which alone shows that traffic is still to shift.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CurrentRecord {
    /// The service's description says enough, or names no record.
    Unneeded,
    /// It cannot be read, for this reason: the right to it is optional, and some regions have none.
    Unreadable(String),
    /// The record.
    Read(Detail),
}

impl ServiceFacts {
    /// The facts, a line each.
    pub(crate) fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if let Ok(service) = &self.service {
            let (name, cluster, desired) = (&service.name, &service.cluster, service.desired);
            let strategy = service.strategy.as_deref().unwrap_or("ROLLING");
            lines.push(format!(
                "ECS: service {name} of the cluster {cluster}, {desired} tasks desired, strategy {strategy}"
            ));
        }
        if let Ok(current) = &self.current {
            lines.push(format!("Current revision: {}", current.revision.arn));
        }
        if let Ok(CurrentRecord::Unreadable(reason)) = &self.record {
            lines.push(format!("{reason}, so details are missing"));
        }
        lines
    }

    /// The facts that change the service, a line each.
    pub(crate) fn news(&self) -> Vec<String> {
        self.definition
            .as_ref()
            .map_or_else(|_| Vec::new(), definition_lines)
    }
}
