use serde_json::Value;

use super::fact::Fact;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::platform::Platform;
use crate::domain::provenance::statement::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The facts that a verification depends on.
#[derive(Clone, Debug)]
pub struct VerifyFacts {
    /// The caller's identity at AWS, for the log alone; none where no image is in ECR.
    pub caller: Option<Fact<CallerIdentity>>,
    /// The image.
    pub target: Fact<ImageFacts>,
    /// The registry's records of it.
    pub records: Fact<Vec<Record>>,
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
    /// The digest of the ARM64 manifest.
    pub digest: Digest,
    /// True if the user's reference names an index.
    pub from_index: bool,
    /// The platform that its configuration names, which can differ from the one in an index.
    pub platform: Platform,
    /// Its configuration's `config` object.
    pub config: Value,
    /// The digests of its layers, uncompressed.
    pub diff_ids: Vec<String>,
    /// The number of layers that its manifest names.
    pub layers: usize,
    /// Compressed bytes of its layers.
    pub bytes: u64,
}
