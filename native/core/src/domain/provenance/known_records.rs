use std::fmt;

use super::bundle::BundleError;
use crate::domain::reference::digest::Digest;

/// The records of an image that a registry has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownRecords<R> {
    /// The records that count.
    pub believed: Vec<R>,
    /// The records that do not count, which only happens where keys are known.
    pub ignored: Vec<IgnoredRecord>,
    /// Number of artifacts beside the image that may be records, and were not looked at.
    pub unread: usize,
}

/// A record that does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IgnoredRecord {
    /// Its manifest.
    pub artifact: Digest,
    /// True if its annotations call it a record of this task, as everyone can write them.
    pub is_ours: bool,
    /// The reason.
    pub why: IgnoredWhy,
}

/// The reason why a record does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IgnoredWhy {
    /// It has no signature.
    Unsigned,
    /// It is a bundle that proves nothing.
    Bundle(BundleError),
    /// Its artifact cannot be read.
    Artifact(String),
}

impl IgnoredRecord {
    /// Returns true if nothing but an attack or a fault explains the record. Other tools attach artifacts of the same
    /// types, in forms of their own.
    #[must_use]
    pub fn is_suspicious(&self) -> bool {
        match &self.why {
            IgnoredWhy::Unsigned
            | IgnoredWhy::Bundle(BundleError::OtherKey | BundleError::OtherKind) => false,
            IgnoredWhy::Bundle(BundleError::Forged(_) | BundleError::Statement(_)) => true,
            IgnoredWhy::Bundle(BundleError::TooLarge(_) | BundleError::Form(_))
            | IgnoredWhy::Artifact(_) => self.is_ours,
        }
    }
}

impl fmt::Display for IgnoredRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.artifact)?;
        match &self.why {
            IgnoredWhy::Unsigned => f.write_str("it is not signed"),
            IgnoredWhy::Bundle(error) => write!(f, "{error}"),
            IgnoredWhy::Artifact(why) => f.write_str(why),
        }
    }
}

impl<R> KnownRecords<R> {
    /// Records that all count.
    #[must_use]
    pub fn all(believed: Vec<R>) -> Self {
        Self {
            believed,
            ignored: Vec::new(),
            unread: 0,
        }
    }

    /// The same records with another content of each.
    #[must_use]
    pub fn map<T>(self, change: impl FnMut(R) -> T) -> KnownRecords<T> {
        KnownRecords {
            believed: self.believed.into_iter().map(change).collect(),
            ignored: self.ignored,
            unread: self.unread,
        }
    }
}
