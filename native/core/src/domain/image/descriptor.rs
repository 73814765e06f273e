use crate::domain::reference::digest::Digest;

/// Description, in a manifest, of something that it refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Descriptor {
    /// The media type.
    pub media_type: String,
    /// The digest.
    pub digest: Digest,
    /// The size in bytes.
    pub size: u64,
}

impl Descriptor {
    /// Returns the descriptor of some bytes.
    #[must_use]
    pub fn of(media_type: &str, bytes: &[u8]) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: Digest::of(bytes),
            size: u64::try_from(bytes.len()).unwrap_or(u64::MAX),
        }
    }

    /// Returns true if it is of a layer that registries do not hold, because only its owner may hand it out
    /// (<https://github.com/opencontainers/image-spec/blob/main/layer.md#non-distributable-layers>).
    #[must_use]
    pub fn is_foreign(&self) -> bool {
        ["rootfs.foreign.", "layer.nondistributable."]
            .iter()
            .any(|mark| self.media_type.contains(mark))
    }
}
