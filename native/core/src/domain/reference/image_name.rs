use std::fmt;
use std::str::FromStr;

use super::digest::Digest;
use super::ecr_host::EcrHost;
use super::error::ReferenceError;
use super::tag::Tag;

/// Name that a user typed for an image; the registry may be left out.
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
