use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::domain::reference::repository::Repository;

/// A repository that the container may have pulled, and the sign-in for it.
#[derive(Clone, Debug)]
pub struct Grant {
    /// The repository.
    pub repository: Repository,
    /// The sign-in; none for a repository that anyone may pull.
    pub auth: Option<RegistryAuth>,
}
