use std::collections::BTreeMap;

use crate::domain::reference::digest::Digest;

/// Something that refers to an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// The digest of its manifest.
    pub digest: Digest,
    /// Its type, as the list of referrers has it.
    pub artifact_type: String,
    /// Annotations of its manifest about it.
    pub annotations: BTreeMap<String, String>,
}
