//! An artifact that a tag names, and its blobs.

use reqwest::StatusCode;
use reqwest::header::CONTENT_LENGTH;

use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{ManifestReference, RawManifest};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

impl Registry {
    /// Reads the manifest that a tag names; none if the repository has no such tag.
    pub(crate) async fn tagged_manifest(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Option<RawManifest>, RegistryError> {
        let reference = ManifestReference::Tag(tag.clone());
        let subject = Subject::read(repository, Some(&reference));
        match self.manifest(&subject).await {
            Ok((manifest, _)) => Ok(Some(manifest)),
            Err(RegistryError::ImageNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Checks that a repository has a blob of an artifact, and in its size where the registry states one.
    pub(crate) async fn check_blob(
        &self,
        repository: &Repository,
        artifact: &Digest,
        blob: &Descriptor,
    ) -> Result<(), RegistryError> {
        let reference = ManifestReference::Digest(artifact.clone());
        let subject = Subject::read(repository, Some(&reference));
        let request = Request {
            kind: RegistryRequest::BlobCheck,
            repository: repository.clone(),
            path: subject.blob(&blob.digest),
            offset: 0,
            accept: None,
            body: None,
            limit: 0,
        };
        let answer = self.0.send(&request).await;
        let answer = answer.map_err(|failed| subject.failed(failed))?;
        if answer.status == StatusCode::NOT_FOUND {
            let why = format!("the repository does not have the blob {}", blob.digest);
            return Err(subject.invalid(&why));
        }
        if answer.status != StatusCode::OK {
            return Err(subject.refused(&RegistryRefusal::of(&answer)));
        }
        let size = answer.header(CONTENT_LENGTH.as_str());
        match size.filter(|size| *size != blob.size.to_string()) {
            Some(size) => {
                let why = format!("a blob has {size} bytes instead of {}", blob.size);
                Err(subject.invalid(&why))
            }
            None => Ok(()),
        }
    }
}
