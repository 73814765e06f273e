use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The places of the staged images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The source's repository.
    pub source: Repository,
    /// The digest of the source's manifest, which is for linux/arm64 alone.
    pub source_digest: Digest,
    /// The sensor's repository; its digests are what they were.
    pub sensor: Repository,
}
