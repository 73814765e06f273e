use std::path::PathBuf;

use crate::domain::graft::assemble::Assembled;

/// An image that is ready to be pushed.
#[derive(Debug)]
pub struct Grafted {
    pub(super) assembled: Assembled,
    /// Where the layer is, unless the registry was seen to have it.
    pub(super) spool: PathBuf,
}
