use std::fmt;
use std::str::FromStr;

use super::error::ReferenceError;

/// A tag: up to 128 letters, digits, `_`, `.` and `-`
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(String);

impl Tag {
    /// The tag as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Tag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Tag {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let first = text.bytes().next();
        let starts_well = first.is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_');
        let is_word = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-');
        if starts_well && text.len() <= 128 && text.bytes().all(is_word) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError::Tag(text.to_owned()))
        }
    }
}
