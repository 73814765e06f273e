use std::path::PathBuf;

use crate::domain::aws::revision::Revision;

/// A task definition that names the patched image.
#[derive(Clone)]
pub(super) struct Finished {
    /// Where it was written.
    pub(super) path: PathBuf,
    /// What was written.
    pub(super) text: String,
    /// What ECS made of it, where it was registered.
    pub(super) revision: Option<Revision>,
}
