use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use super::error::ReferenceError;

/// A tag: up to 128 letters, digits, `_`, `.` and `-`
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests>).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Tag(Cow<'static, str>);

impl Tag {
    /// Creates a tag that is written out in the sources; an invalid one does not compile in a `static` or `const`.
    pub(crate) const fn literal(text: &'static str) -> Self {
        assert!(is_valid(text), "not a valid tag");
        Self(Cow::Borrowed(text))
    }

    /// Creates the tag that ends in the hex digits of a hash.
    pub(crate) fn of_hash(prefix: &'static str, digits: &str) -> Self {
        debug_assert!(is_valid(prefix), "not the start of a tag");
        Self(Cow::Owned(format!("{prefix}{digits}")))
    }

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
        if is_valid(text) {
            Ok(Self(Cow::Owned(text.to_owned())))
        } else {
            Err(ReferenceError::Tag(text.to_owned()))
        }
    }
}

const fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut rest = bytes;
    while let [byte, after @ ..] = rest {
        if !byte.is_ascii_alphanumeric() && !matches!(byte, b'_' | b'.' | b'-') {
            return false;
        }
        rest = after;
    }
    bytes.len() <= 128 && matches!(bytes, [first, ..] if !matches!(first, b'.' | b'-'))
}
