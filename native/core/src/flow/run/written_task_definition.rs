use std::path::PathBuf;

use crate::domain::aws::revision::Revision;

/// A task definition that names the patched image.
#[derive(Clone)]
pub(super) struct WrittenTaskDefinition {
    pub(super) family: String,
    /// The file.
    pub(super) path: PathBuf,
    /// The content of the file.
    pub(super) text: String,
    /// The revision in ECS, where it was registered.
    pub(super) revision: Option<Revision>,
}
