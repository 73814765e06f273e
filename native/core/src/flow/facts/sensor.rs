use crate::domain::image::manifest::PlatformManifest;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// The sensor image.
#[derive(Clone, Debug)]
pub struct SensorFacts {
    /// The image as the user named it, registry included.
    pub name: String,
    /// Its repository.
    pub repository: Repository,
    /// The digest of its manifest for linux/arm64, whose files the patched image gets.
    pub arm64: Digest,
    /// Its manifests for all platforms.
    pub platforms: Vec<PlatformManifest>,
    /// The digest of its manifest for the engine's own platform, if it has one that is not linux/arm64; none where the
    /// engine was not asked.
    pub native: Option<Digest>,
    /// Its version, if its tag or a label names it.
    pub version: Option<String>,
    /// The copy into the mirror that is still to be done.
    pub copy: Option<SensorCopy>,
}

/// A sensor that is to be copied into the mirror and pulled from there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorCopy {
    /// CrowdStrike's repository.
    pub from: Repository,
    /// The digest of all that is copied, which is an index for several platforms.
    pub digest: Digest,
    /// The mirror.
    pub to: Repository,
    /// The tag in both.
    pub tag: Tag,
}
