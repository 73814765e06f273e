//! Image references: what users type, and what can be pulled.

mod docker_hub;
mod ecr_host;

use std::fmt;
use std::str::FromStr;

pub(crate) use docker_hub::is_docker_hub;
pub use ecr_host::EcrHost;

/// The SHA-256 digest of a manifest, a configuration or a layer: `sha256:` and 64 hex digits.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

impl Digest {
    /// The digest of some bytes.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        use sha2::Digest as _;
        Self::of_hash(&sha2::Sha256::digest(bytes))
    }

    /// The digest whose hash was computed piece by piece.
    pub(crate) fn of_hash(hash: &[u8]) -> Self {
        use std::fmt::Write as _;
        let hex = hash.iter().fold(String::new(), |mut hex, byte| {
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        Self(format!("sha256:{hex}"))
    }

    /// The digest as text, algorithm included.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The first twelve hex digits, enough for people.
    #[must_use]
    pub fn short(&self) -> &str {
        &self.0[7..19]
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for Digest {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        let hex = text.strip_prefix("sha256:").unwrap_or_default();
        let is_hex = hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if hex.len() == 64 && is_hex {
            Ok(Self(text.to_owned()))
        } else {
            Err(ReferenceError::Digest(text.to_owned()))
        }
    }
}

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

/// What a user typed for an image; the registry may be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImageName {
    /// The registry's host, with its port if it has one.
    pub registry: Option<String>,
    /// The repository, such as `app/web`.
    pub repository: String,
    /// The tag.
    pub tag: Option<Tag>,
    /// The digest.
    pub digest: Option<Digest>,
}

impl ImageName {
    /// The registry as one of ECR's, if it is given and is one.
    #[must_use]
    pub fn ecr(&self) -> Option<EcrHost> {
        EcrHost::parse(self.registry.as_deref()?)
    }
}

/// Why a text is no image reference.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReferenceError {
    /// A repository holds upper-case letters.
    #[error("the repository `{0}` holds upper-case letters; write `{lower}`", lower = .0.to_lowercase())]
    UpperCase(String),
    /// A repository is malformed.
    #[error(
        "`{0}` is no repository: use lower-case letters, digits and single `.`, `_`, `-` between them, with `/` between the parts"
    )]
    Repository(String),
    /// A tag is malformed.
    #[error(
        "`{0}` is no tag: use up to 128 letters, digits, `_`, `.` and `-`, not starting with `.` or `-`"
    )]
    Tag(String),
    /// A digest is malformed.
    #[error("`{0}` is no digest: it has to be `sha256:` and 64 hex digits in lower case")]
    Digest(String),
    /// A host is malformed.
    #[error("`{0}` is no registry host")]
    Host(String),
    /// A scheme was typed.
    #[error("a reference has no scheme: leave out `{0}`")]
    Scheme(String),
}

impl FromStr for ImageName {
    type Err = ReferenceError;

    fn from_str(text: &str) -> Result<Self, ReferenceError> {
        if let Some((scheme, _)) = text.split_once("://") {
            return Err(ReferenceError::Scheme(format!("{scheme}://")));
        }
        let (rest, digest) = match text.split_once('@') {
            Some((rest, digest)) => (rest, Some(digest.parse()?)),
            None => (text, None),
        };
        let (registry, path) = split_registry(rest)?;
        let (repository, tag) = match path.rsplit_once(':') {
            Some((repository, tag)) => (repository, Some(tag.parse()?)),
            None => (path, None),
        };
        check_repository(repository)?;
        Ok(Self {
            registry,
            repository: repository.to_owned(),
            tag,
            digest,
        })
    }
}

/// The first part is a host if it could not be a repository's: it holds a dot or a port, or is `localhost`.
fn split_registry(text: &str) -> Result<(Option<String>, &str), ReferenceError> {
    let Some((first, path)) = text.split_once('/') else {
        return Ok((None, text));
    };
    if !first.contains(['.', ':']) && first != "localhost" {
        return Ok((None, text));
    }
    let (name, port) = first.split_once(':').unwrap_or((first, "443"));
    let is_label = |label: &str| {
        !label.is_empty()
            && !label.starts_with('-')
            && label
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    if name.split('.').all(is_label) && port.parse::<u16>().is_ok() {
        Ok((Some(first.to_ascii_lowercase()), path))
    } else {
        Err(ReferenceError::Host(first.to_owned()))
    }
}

fn check_repository(repository: &str) -> Result<(), ReferenceError> {
    if repository.bytes().any(|b| b.is_ascii_uppercase()) {
        return Err(ReferenceError::UpperCase(repository.to_owned()));
    }
    let is_word = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let is_part = |part: &str| {
        let bytes = part.as_bytes();
        let ends_well = |b: Option<&u8>| b.is_some_and(|b| is_word(*b));
        let separators_fit = part
            .split(|c: char| is_word(u8::try_from(c).unwrap_or(b'!')))
            .all(|s| matches!(s, "" | "." | "_" | "__") || s.bytes().all(|b| b == b'-'));
        ends_well(bytes.first()) && ends_well(bytes.last()) && separators_fit
    };
    if repository.len() <= 255 && repository.split('/').all(is_part) {
        Ok(())
    } else {
        Err(ReferenceError::Repository(repository.to_owned()))
    }
}

impl fmt::Display for ImageName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(registry) = &self.registry {
            write!(f, "{registry}/")?;
        }
        f.write_str(&self.repository)?;
        if let Some(tag) = &self.tag {
            write!(f, ":{tag}")?;
        }
        if let Some(digest) = &self.digest {
            write!(f, "@{digest}")?;
        }
        Ok(())
    }
}

/// A repository in a registry.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Repository {
    /// The registry's host, with its port if it has one.
    pub registry: String,
    /// The name within the registry, such as `app/web`.
    pub name: String,
}

impl Repository {
    /// The reference of an image in this repository by its digest, the form used from resolution on.
    #[must_use]
    pub fn at(&self, digest: &Digest) -> String {
        format!("{self}@{digest}")
    }

    /// The reference of an image in this repository by a tag.
    #[must_use]
    pub fn tagged(&self, tag: &Tag) -> String {
        format!("{self}:{tag}")
    }

    /// The registry as one of ECR's, if it is one.
    #[must_use]
    pub fn ecr(&self) -> Option<EcrHost> {
        EcrHost::parse(&self.registry)
    }
}

impl fmt::Display for Repository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.registry, self.name)
    }
}

#[cfg(test)]
mod tests;
