//! Reading manifests.

use reqwest::header::CONTENT_TYPE;

use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::manifest;
use crate::domain::image::manifest::{Manifest, ManifestReference, RawManifest};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::report::cause::Cause;

/// Largest manifest that registries accept
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>).
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

const DIGEST_HEADER: &str = "docker-content-digest";

impl Registry {
    /// Finds what a tag names; none if the repository has no such tag.
    pub async fn digest_of(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<Digest>, RegistryError> {
        let reference = ManifestReference::Tag(tag.clone());
        let subject = Subject::read(repository, Some(&reference));
        let request = subject.get_manifest(RegistryRequest::TagDigest);
        let answer = self
            .0
            .send(&request)
            .await
            .map_err(|failed| subject.failed(failed))?;
        if answer.status.is_success()
            && let Some(digest) = answer
                .header(DIGEST_HEADER)
                .and_then(|text| text.parse().ok())
        {
            return Ok(Some(digest));
        }
        if answer.is_passing() {
            return Err(subject.refused(&RegistryRefusal::of(&answer)));
        }
        // The answer to a HEAD has no body that could tell a missing tag from a missing repository,
        // or an old token from a missing right.
        match self.manifest(&subject).await {
            Ok((_, digest)) => Ok(Some(digest)),
            Err(RegistryError::ImageNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Has a pull-through cache fetch an image, and checks that the tag names the digest.
    pub async fn fetch_into_cache(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        let reference = ManifestReference::Pinned(tag.clone(), digest.clone());
        let subject = Subject::read(repository, Some(&reference));
        self.manifest(&subject).await.map(|_| ())
    }

    /// Reads a manifest, whose digest is computed and not believed.
    ///
    /// One that is not known by its digest is requested by the tag beside it, if the reference has one.
    pub(super) async fn manifest(
        &self,
        subject: &Subject<'_>,
    ) -> Result<(RawManifest, Digest), RegistryError> {
        let missing = match (self.one_manifest(subject).await, subject.reference) {
            (
                Err(
                    error @ (RegistryError::ImageNotFound { .. }
                    | RegistryError::RepositoryNotFound { .. }),
                ),
                Some(ManifestReference::Pinned(tag, digest)),
            ) => (error, tag, digest),
            (found, _) => return found,
        };
        let (error, tag, digest) = missing;
        let by_tag = ManifestReference::Tag(tag.clone());
        let found = self
            .one_manifest(&Subject::read(subject.repository, Some(&by_tag)))
            .await;
        match found {
            Ok((raw, named)) if named == *digest => Ok((raw, named)),
            Ok((_, named)) => Err(RegistryError::ImageNotFound {
                image: subject.image(),
                repository: subject.repository.clone(),
                source: Cause::said(&format!(
                    "the registry does not know the digest, and the tag `{tag}` names {named}"
                )),
            }),
            Err(RegistryError::ImageNotFound { .. }) => Err(error),
            Err(other) => Err(other),
        }
    }

    async fn one_manifest(
        &self,
        subject: &Subject<'_>,
    ) -> Result<(RawManifest, Digest), RegistryError> {
        let answer = self
            .get(subject, &subject.get_manifest(RegistryRequest::Manifest))
            .await?;
        let digest = Digest::of(&answer.body);
        let claimed = match subject.reference {
            Some(ManifestReference::Digest(digest) | ManifestReference::Pinned(_, digest)) => {
                Some(digest.to_string())
            }
            Some(ManifestReference::Tag(_)) | None => answer
                .header(DIGEST_HEADER)
                .filter(|text| text.starts_with("sha256:"))
                .map(str::to_owned),
        };
        if let Some(claimed) = claimed.filter(|claimed| claimed != digest.as_str()) {
            return Err(subject.invalid(&format!(
                "the manifest's digest is {digest}, and it should be {claimed}"
            )));
        }
        let media_type = manifest::media_type(
            answer
                .headers
                .get(CONTENT_TYPE)
                .and_then(|value| value.to_str().ok()),
            &answer.body,
        );
        let raw = RawManifest {
            media_type: media_type.map_err(|why| subject.invalid(&why))?,
            bytes: answer.body,
        };
        Ok((raw, digest))
    }
}

impl Subject<'_> {
    fn get_manifest(&self, kind: RegistryRequest) -> Request {
        Request {
            kind,
            repository: self.repository.clone(),
            path: self.manifest(),
            offset: 0,
            accept: Some(manifest::ACCEPT),
            body: None,
            limit: MANIFEST_LIMIT,
        }
    }

    pub(super) fn parse(&self, raw: &RawManifest) -> Result<Manifest, RegistryError> {
        manifest::parse(raw).map_err(|why| self.invalid(&why))
    }
}
