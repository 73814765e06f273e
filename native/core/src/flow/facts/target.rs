use std::sync::Arc;

use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::provenance::record::Provenance;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// Where the patched image goes.
#[derive(Clone, Debug)]
pub struct TargetFacts {
    /// The repository.
    pub repository: Repository,
    /// Which of the wanted tags exist, with what they name.
    pub existing: Vec<(Tag, Digest)>,
    /// The ARM64 image that the target's tag names, where that is looked at and no index.
    pub current: Option<CurrentImage>,
    /// Whether tags can be overwritten; not known without the right to ask, and not asked where
    /// nothing is to be changed.
    pub mutability: Option<TagMutability>,
    /// Whether the repository has yet to be created, which the inputs allow.
    pub is_missing: bool,
}

/// What the target's tag names before the run.
#[derive(Clone, Debug)]
pub struct CurrentImage {
    /// The image.
    pub image: Arc<RegistryImage>,
    /// What the registry keeps of its making; nothing if that cannot be read.
    pub provenance: Vec<Provenance>,
}

impl TargetFacts {
    /// Whether a tag names a manifest.
    #[must_use]
    pub fn names(&self, tag: &Tag, digest: &Digest) -> bool {
        self.existing
            .iter()
            .any(|(known, named)| known == tag && named == digest)
    }
}
