use serde_json::Value;

use super::fact::Fact;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::platform::Platform;
use crate::domain::provenance::statement::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// A look at an image that is to be verified.
#[derive(Clone, Debug)]
pub struct VerifyFacts {
    /// Who AWS says we are, where it was asked; only to be shown.
    pub caller: Option<CallerIdentity>,
    /// The image.
    pub target: Fact<ImageFacts>,
    /// What the registry keeps of its making.
    pub records: Vec<Record>,
    /// What it is to be compared with.
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
    /// Whether the user's reference names an index.
    pub from_index: bool,
    /// The platform that its configuration names, whatever an index says of it.
    pub platform: Platform,
    /// Its configuration's `config` object.
    pub config: Value,
    /// The digests of its layers, uncompressed.
    pub diff_ids: Vec<String>,
    /// Compressed bytes of its layers.
    pub bytes: u64,
}
