use crate::domain::reference::digest::Digest;

/// The layer that falconutil added, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PackedLayer {
    /// The digest of the layer unpacked.
    pub(crate) diff_id: Digest,
    /// The digest of the layer packed.
    pub(crate) digest: Digest,
    /// The bytes of the layer packed.
    pub(crate) size: u64,
}
