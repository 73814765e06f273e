use std::fmt;

use crate::domain::reference::digest::Digest;

/// The image that a tag names before it is put on another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FormerImage {
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// True if it has the marks of a patched image; none where it was not looked at.
    pub is_patched: Option<bool>,
}

impl fmt::Display for FormerImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "replaces {}", self.digest)?;
        match self.is_patched {
            Some(false) => f.write_str(", not a patched image"),
            Some(true) | None => Ok(()),
        }
    }
}
