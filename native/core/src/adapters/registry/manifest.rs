//! Reading manifests.

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::manifest;
use crate::domain::image::manifest::{Manifest, ManifestReference, RawManifest};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

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
        let request = subject.get_manifest(Method::HEAD);
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

    /// Reads a manifest, whose digest is computed and not believed.
    pub(super) async fn manifest(
        &self,
        subject: &Subject<'_>,
    ) -> Result<(RawManifest, Digest), RegistryError> {
        let answer = self
            .get(subject, &subject.get_manifest(Method::GET))
            .await?;
        let digest = Digest::of(&answer.body);
        let claimed = match subject.reference {
            Some(ManifestReference::Digest(digest)) => Some(digest.to_string()),
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
    fn get_manifest(&self, method: Method) -> Request {
        Request {
            method,
            repository: self.repository.clone(),
            path: self.manifest(),
            accept: Some(manifest::ACCEPT),
            body: None,
            limit: MANIFEST_LIMIT,
        }
    }

    pub(super) fn parse(&self, raw: &RawManifest) -> Result<Manifest, RegistryError> {
        manifest::parse(raw).map_err(|why| self.invalid(&why))
    }
}
