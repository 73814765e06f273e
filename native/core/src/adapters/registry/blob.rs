//! Blobs that fit into memory, and the sizes of all others.

use reqwest::header::CONTENT_LENGTH;
use reqwest::{Method, StatusCode};

use super::client::Registry;
use super::error::RegistryError;
use super::refusal::RegistryRefusal;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

const BLOB_LIMIT: usize = 8 * 1024 * 1024;

impl Registry {
    /// The size of a blob; none if the repository has no such blob, or is not there itself.
    pub(crate) async fn blob_size(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<Option<u64>, RegistryError> {
        let reference = ManifestReference::Digest(digest.clone());
        let subject = Subject::read(repository, Some(&reference));
        let request = Request {
            method: Method::HEAD,
            repository: repository.clone(),
            path: subject.blob(digest),
            offset: 0,
            accept: None,
            body: None,
            limit: 0,
        };
        let answer = self.0.send(&request).await;
        let answer = answer.map_err(|failed| subject.failed(failed))?;
        match answer.status {
            StatusCode::OK => Ok(answer
                .header(CONTENT_LENGTH.as_str())
                .and_then(|length| length.parse().ok())),
            StatusCode::NOT_FOUND => Ok(None),
            _ => Err(subject.refused(&RegistryRefusal::of(&answer))),
        }
    }

    /// Reads a small blob, which is held to its digest.
    pub(super) async fn blob(
        &self,
        subject: &Subject<'_>,
        descriptor: &Descriptor,
    ) -> Result<Vec<u8>, RegistryError> {
        let request = Request {
            method: Method::GET,
            repository: subject.repository.clone(),
            path: subject.blob(&descriptor.digest),
            offset: 0,
            accept: None,
            body: None,
            limit: BLOB_LIMIT,
        };
        let bytes = self.get(subject, &request).await?.body;
        let digest = Digest::of(&bytes);
        if digest != descriptor.digest {
            return Err(subject.invalid(&format!(
                "the blob's digest is {digest}, and it should be {}",
                descriptor.digest
            )));
        }
        Ok(bytes)
    }
}
