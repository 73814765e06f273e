use std::time::Duration;

use crate::domain::ecs::deployment::service::{Deployment, Service};
use crate::domain::ecs::deployment::verdict::Watched;

/// A deployment that is under way.
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// The deployment.
    pub(super) watched: Watched,
    /// The record that the service named before, which is another deployment's.
    pub(super) former_detail: Option<String>,
    /// True if this run began it.
    pub(super) is_own: bool,
}

impl Started {
    /// The deployment that is under way in a service, which another run began.
    pub(super) fn under_way(service: &Service, revision: &str, limit: Duration) -> Option<Self> {
        let primary = service.primary()?;
        let others = service.deployments.iter();
        let others: Vec<&Deployment> = others.filter(|each| each.id != primary.id).collect();
        let previous = others.iter().find(|each| each.task_definition != revision);
        Some(Self {
            watched: Watched {
                id: primary.id.clone(),
                revision: revision.to_owned(),
                earlier: others.iter().map(|each| each.id.clone()).collect(),
                previous: previous.map(|each| each.task_definition.clone()),
                rolls_back: service.guards.rolls_back,
                limit,
            },
            former_detail: None,
            is_own: false,
        })
    }
}
