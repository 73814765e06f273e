use std::path::PathBuf;
use std::sync::Arc;

use crate::domain::graft::assemble::Assembled;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;

/// An image that is ready to be pushed.
#[derive(Debug)]
pub struct Grafted {
    pub(super) source: Arc<RegistryImage>,
    /// The repository of the source's layers.
    pub(super) source_repository: Repository,
    pub(super) assembled: Assembled,
    /// The file of the added layer, unless the registry was seen to have it.
    pub(super) spool: PathBuf,
}
