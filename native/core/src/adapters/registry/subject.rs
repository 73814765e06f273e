use super::attempt::Failed;
use super::error::{Access, RegistryError};
use super::refusal::RegistryRefusal;
use crate::adapters::http::client::NoAnswer;
use crate::domain::aws::denial::Denial;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// Subject of a request, as a failure has to name it.
pub(super) struct Subject<'a> {
    pub(super) repository: &'a Repository,
    /// Reference of the manifest; none where the repository as a whole is asked about.
    pub(super) reference: Option<&'a ManifestReference>,
    pub(super) access: Access,
}

impl<'a> Subject<'a> {
    /// Subject of a request that reads.
    pub(super) fn read(
        repository: &'a Repository,
        reference: Option<&'a ManifestReference>,
    ) -> Self {
        Self {
            repository,
            reference,
            access: Access::Read,
        }
    }

    /// Subject of a request that writes.
    pub(super) fn write(
        repository: &'a Repository,
        reference: Option<&'a ManifestReference>,
    ) -> Self {
        Self {
            repository,
            reference,
            access: Access::Write,
        }
    }

    pub(super) fn image(&self) -> String {
        match self.reference {
            Some(ManifestReference::Tag(tag)) => self.repository.tagged(tag),
            Some(ManifestReference::Digest(digest)) => self.repository.at(digest),
            Some(ManifestReference::Pinned(tag, digest)) => {
                format!("{}@{digest}", self.repository.tagged(tag))
            }
            None => self.repository.to_string(),
        }
    }

    /// The path of the manifest.
    pub(super) fn manifest(&self) -> String {
        let name = &self.repository.name;
        let reference = match self.reference {
            Some(ManifestReference::Tag(tag)) => tag.as_str(),
            Some(ManifestReference::Digest(digest) | ManifestReference::Pinned(_, digest)) => {
                digest.as_str()
            }
            None => unreachable!("a manifest is asked for by tag or digest"),
        };
        format!("/v2/{name}/manifests/{reference}")
    }

    /// The path of a blob.
    pub(super) fn blob(&self, digest: &Digest) -> String {
        format!("/v2/{}/blobs/{digest}", self.repository.name)
    }

    pub(super) fn failed(&self, failed: Failed) -> RegistryError {
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
            Failed::NoAnswer(NoAnswer::TooLong { limit }) => self.invalid(&format!(
                "the answer has more than {limit} bytes, which none of its kind needs"
            )),
            Failed::NoAnswer(NoAnswer::Redirect(source)) => self.invalid(&source.to_string()),
        }
    }

    /// The answer is not what it must be.
    pub(super) fn invalid(&self, why: &str) -> RegistryError {
        RegistryError::AnswerInvalid {
            image: self.image(),
            access: self.access,
            source: Cause::said(why),
        }
    }

    /// Error that a refusal means.
    pub(super) fn refused(&self, refusal: &RegistryRefusal) -> RegistryError {
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
        // A push that is answered by a bare 404 has found no repository to go to.
        let is_bare = refusal.is_not_found() && refusal.code.is_none();
        if refusal.is_repository_missing() || (is_bare && access == Access::Write) {
            return RegistryError::RepositoryNotFound {
                image,
                access,
                repository: self.repository.clone(),
                source,
            };
        }
        if refusal.is_not_found() && access == Access::Read {
            return RegistryError::ImageNotFound {
                image,
                repository: self.repository.clone(),
                source,
            };
        }
        RegistryError::RequestFailed {
            image,
            access,
            source,
        }
    }
}
