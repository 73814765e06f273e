use std::sync::Arc;

use super::fact::Fact;
use crate::domain::falcon::marks::SensorMarks;
use crate::domain::image::former_image::FormerImage;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::record::Provenance;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// The destination of the patched image.
#[derive(Clone, Debug)]
pub struct TargetFacts {
    /// The repository.
    pub repository: Repository,
    /// The wanted tags that exist, with the digests that they name.
    pub existing: Vec<(Tag, Digest)>,
    /// The ARM64 image that the target's tag names; none where it names an index or `skipUnchanged` is false.
    pub current: Option<CurrentImage>,
    /// The rule for overwriting tags; unknown without the permission to read it, and not requested where nothing is
    /// to be changed.
    pub mutability: Option<TagMutability>,
    /// True if the repository does not exist yet and the inputs allow creating it.
    pub is_missing: bool,
}

/// The image that the target's tag names before the run.
#[derive(Clone, Debug)]
pub struct CurrentImage {
    /// The image.
    pub image: Arc<RegistryImage>,
    /// The registry's records of it.
    pub provenance: Fact<KnownRecords<Provenance>>,
}

impl TargetFacts {
    /// Checks that a tag is known to be immutable.
    #[must_use]
    pub fn is_immutable(&self, tag: &Tag) -> bool {
        let mutability = self.mutability.as_ref();
        mutability.is_some_and(|mutability| !mutability.allows_overwriting(tag))
    }

    /// Returns the image that a tag names; none where the tag is not there.
    #[must_use]
    pub fn named_by(&self, tag: &Tag) -> Option<FormerImage> {
        let (_, digest) = self.existing.iter().find(|(known, _)| known == tag)?;
        let current = self.current.as_ref().map(|current| &current.image);
        let seen = current.filter(|image| image.digest == *digest);
        Some(FormerImage {
            digest: digest.clone(),
            is_patched: seen.map(|image| {
                let marks = SensorMarks::of(image.runtime_config());
                marks.by_entrypoint || marks.by_variable
            }),
        })
    }

    /// Checks that a tag names a manifest.
    #[must_use]
    pub fn names(&self, tag: &Tag, digest: &Digest) -> bool {
        self.existing
            .iter()
            .any(|(known, named)| known == tag && named == digest)
    }
}
