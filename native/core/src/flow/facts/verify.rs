use std::sync::Arc;

use super::fact::Fact;
use super::keys::KeyFacts;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::platform::Platform;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::repository::Repository;

/// The facts that a verification depends on.
#[derive(Clone, Debug)]
pub struct VerifyFacts {
    /// The caller's identity at AWS, for the log alone; none where no image is in ECR.
    pub caller: Option<Fact<CallerIdentity>>,
    /// The image.
    pub target: Fact<ImageFacts>,
    /// The registry's records of it.
    pub records: Fact<KnownRecords<Record>>,
    /// The keys by which records are believed.
    pub keys: Fact<KeyFacts>,
    /// The source to compare it with.
    pub source: Option<Fact<ImageFacts>>,
}

/// The ARM64 image that a reference to a registry stands for.
#[derive(Clone, Debug)]
pub struct ImageFacts {
    /// The image as the user named it, registry included.
    pub name: String,
    /// Its repository.
    pub repository: Repository,
    /// True if the user's reference names an index.
    pub from_index: bool,
    /// The image itself.
    pub image: Arc<RegistryImage>,
}

impl ImageFacts {
    /// The platform that its configuration names, which can differ from the one in an index.
    #[must_use]
    pub fn platform(&self) -> Platform {
        let unknown = || Platform::new("unknown", "unknown", None);
        self.image.platform().unwrap_or_else(unknown)
    }
}
