//! Naming an image by a tag.

use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
use super::transport::Request;
use crate::adapters::http::client::Answer;
use crate::domain::image::manifest::{ManifestReference, RawManifest};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// The answer to a PUT has nothing to say.
const ANSWER_LIMIT: usize = 64 * 1024;

impl Registry {
    /// Has a tag name a manifest whose parts are in the repository, and checks that it does.
    ///
    /// A tag that names this very manifest is a success, immutable or not: ECR refuses to
    /// overwrite even then, so a try whose answer got lost would make the next one fail.
    pub async fn put_manifest(
        &self,
        repository: &Repository,
        tag: &Tag,
        manifest: &RawManifest,
    ) -> Result<(), RegistryError> {
        let reference = ManifestReference::Tag(tag.clone());
        let subject = Subject::write(repository, Some(&reference));
        let answer = self.put(RegistryRequest::TagPut, &subject, manifest);
        let answer = answer.await?;
        let digest = manifest.digest();
        if answer.status.is_success() {
            return self.check_tag(&subject, tag, &digest).await;
        }
        let refusal = RegistryRefusal::of(&answer);
        if !refusal.is_tag_taken() {
            return Err(subject.refused(&refusal));
        }
        let existing = self.digest_of(repository, tag).await?;
        if existing.as_ref() == Some(&digest) {
            return Ok(());
        }
        Err(RegistryError::TagImmutable {
            image: subject.image(),
            existing,
            source: refusal.cause(),
        })
    }

    /// Puts a manifest under its digest, where it has no name yet.
    pub(crate) async fn put_by_digest(
        &self,
        repository: &Repository,
        manifest: &RawManifest,
    ) -> Result<Answer, RegistryError> {
        let reference = ManifestReference::Digest(manifest.digest());
        let subject = Subject::write(repository, Some(&reference));
        let answer = self.put(RegistryRequest::ManifestPut, &subject, manifest);
        let answer = answer.await?;
        let refusal = RegistryRefusal::of(&answer);
        // Another run may have put it a moment ago, and the digest says that it is the same.
        if answer.status.is_success() || refusal.is_tag_taken() {
            return Ok(answer);
        }
        Err(subject.refused(&refusal))
    }

    async fn put(
        &self,
        kind: RegistryRequest,
        subject: &Subject<'_>,
        manifest: &RawManifest,
    ) -> Result<Answer, RegistryError> {
        let request = Request {
            kind,
            repository: subject.repository.clone(),
            path: subject.manifest(),
            offset: 0,
            accept: None,
            body: Some((manifest.media_type.clone(), manifest.bytes.clone())),
            limit: ANSWER_LIMIT,
        };
        let answer = self.0.send(&request).await;
        answer.map_err(|failed| subject.failed(failed))
    }

    async fn check_tag(
        &self,
        subject: &Subject<'_>,
        tag: &Tag,
        digest: &Digest,
    ) -> Result<(), RegistryError> {
        match self.digest_of(subject.repository, tag).await? {
            Some(found) if found == *digest => Ok(()),
            Some(found) => Err(subject.invalid(&format!(
                "the tag names {found} after {digest} was pushed; another run may push the same tag"
            ))),
            None => {
                Err(subject.invalid(&format!("the tag is not there after {digest} was pushed")))
            }
        }
    }
}
