//! The registry's own API, as far as the task needs it.
//!
//! This is a small client on reqwest, with oci-spec's types for reading manifests, and not
//! oci-client: ECR needs only HTTP's basic scheme, so there is little to gain, while oci-client
//! retries nothing and has no time limits, picks the machine's own platform, pushes in chunks that
//! ECR loses, and panics when a reference to be pushed carries a digest. Retries, time limits and
//! size limits are ours either way.
//!
//! A request passes three layers: the transport sends it once, the exchange signs in and tries
//! again, and [`Registry`] knows what the answers mean.

mod answer;
mod challenge;
mod copy;
mod credentials;
mod error;
mod exchange;
mod manifest;
mod ping;
mod read;
mod referrers;
mod sign_in;
mod tags;
mod token;
mod transport;
mod upload;
mod write;

use std::fmt;
use std::sync::Arc;

use exchange::{Exchange, Failed};

use crate::aws::Denial;
use crate::cause::Cause;
use crate::http::retry::RetryPolicy;
use crate::http::{Http, NoAnswer};
use crate::reference::{Digest, Repository};
use answer::Refusal;

pub use credentials::{Credentials, DockerConfig, SignIn, SignInError};
pub use error::{Access, RegistryError};
pub(crate) use manifest::diff_ids;
pub(crate) use upload::{Arrival, Origin, Upload};

pub use manifest::{
    Descriptor, ManifestReference, PlatformManifest, RawManifest, RegistryImage, ResolvedImage,
};
pub use referrers::{Artifact, Referrer};

/// Access to registries; one for a run, cheap to clone.
#[derive(Clone)]
pub struct Registry(Arc<Exchange>);

impl Registry {
    /// Makes the clients; nothing is asked yet.
    pub fn new(credentials: Credentials) -> Result<Self, RegistryError> {
        Self::with_policy(credentials, RetryPolicy::default())
    }

    fn with_policy(credentials: Credentials, policy: RetryPolicy) -> Result<Self, RegistryError> {
        let http = Http::new().map_err(|source| RegistryError::NoTrust { source })?;
        Ok(Self(Arc::new(Exchange::new(http, credentials, policy))))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

/// What a request is about, as a failure has to name it.
struct Subject<'a> {
    repository: &'a Repository,
    /// What names the manifest; none where the repository as a whole is asked about.
    reference: Option<&'a ManifestReference>,
    access: Access,
}

impl Subject<'_> {
    fn image(&self) -> String {
        match self.reference {
            Some(ManifestReference::Tag(tag)) => self.repository.tagged(tag),
            Some(ManifestReference::Digest(digest)) => self.repository.at(digest),
            None => self.repository.to_string(),
        }
    }

    /// The path of the manifest.
    fn manifest(&self) -> String {
        let name = &self.repository.name;
        let reference = match self.reference {
            Some(ManifestReference::Tag(tag)) => tag.as_str(),
            Some(ManifestReference::Digest(digest)) => digest.as_str(),
            None => unreachable!("a manifest is asked for by tag or digest"),
        };
        format!("/v2/{name}/manifests/{reference}")
    }

    /// The path of a blob.
    fn blob(&self, digest: &Digest) -> String {
        format!("/v2/{}/blobs/{digest}", self.repository.name)
    }

    fn failed(&self, failed: Failed) -> RegistryError {
        let registry = self.repository.registry.clone();
        match failed {
            Failed::SignIn(source) => RegistryError::SignIn {
                registry,
                source: Box::new(source),
            },
            Failed::NoAnswer(NoAnswer::Connection { source, tls }) => RegistryError::NotReachable {
                image: self.image(),
                access: self.access,
                registry,
                tls,
                source,
            },
            Failed::NoAnswer(NoAnswer::TooLong) => {
                self.invalid("the answer is longer than a manifest or configuration may be")
            }
            Failed::NoAnswer(NoAnswer::Redirect(source)) => self.invalid(&source.to_string()),
        }
    }

    /// The answer is not what it has to be.
    fn invalid(&self, why: &str) -> RegistryError {
        RegistryError::AnswerInvalid {
            image: self.image(),
            access: self.access,
            source: Cause::said(why),
        }
    }

    /// What a refusal means.
    fn refused(&self, refusal: &Refusal) -> RegistryError {
        let (image, access, source) = (self.image(), self.access, refusal.cause());
        if refusal.is_denied() {
            return RegistryError::Denied {
                image,
                access,
                repository: self.repository.clone(),
                denial: Denial::read(&refusal.message).map(Box::new),
                source,
            };
        }
        if refusal.is_repository_missing() {
            return RegistryError::RepositoryNotFound {
                image,
                access,
                repository: self.repository.clone(),
                source,
            };
        }
        if refusal.is_not_found() {
            return RegistryError::ImageNotFound { image, source };
        }
        RegistryError::RequestFailed {
            image,
            access,
            source,
        }
    }
}

#[cfg(test)]
mod tests;
