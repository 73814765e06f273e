//! An artifact that a tag names.

use super::client::Registry;
use super::error::RegistryError;
use super::subject::Subject;
use crate::domain::image::manifest::{ManifestReference, RawManifest};
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
}
