//! Blobs that fit into memory.

use super::client::Registry;
use super::error::RegistryError;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::digest::Digest;

const BLOB_LIMIT: usize = 8 * 1024 * 1024;

impl Registry {
    /// Reads a small blob, which is held to its digest.
    pub(super) async fn blob(
        &self,
        subject: &Subject<'_>,
        descriptor: &Descriptor,
    ) -> Result<Vec<u8>, RegistryError> {
        let request = Request {
            kind: RegistryRequest::SmallBlob,
            repository: subject.repository.clone(),
            path: subject.blob(&descriptor.digest),
            offset: 0,
            accept: None,
            body: None,
            // A descriptor without a true size would let an artifact be as long as it likes.
            limit: usize::try_from(descriptor.size).map_or(BLOB_LIMIT, |size| size.min(BLOB_LIMIT)),
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
