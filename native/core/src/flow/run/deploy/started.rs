use crate::domain::ecs::deployment::verdict::Watched;

/// A deployment that ECS has begun.
#[derive(Clone, Debug)]
pub(super) struct Started {
    /// The deployment.
    pub(super) watched: Watched,
    /// The record that the service named before, which is another deployment's.
    pub(super) former_detail: Option<String>,
}
