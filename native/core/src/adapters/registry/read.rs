//! Reading images: manifests and configurations.

use serde_json::Value;

use super::client::Registry;
use super::error::RegistryError;
use super::subject::Subject;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{
    ImageParts, Manifest, ManifestReference, PlatformManifest, RawManifest, ResolvedImage,
};
use crate::domain::image::registry_image;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::twin_keys::refuse_twin_keys;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

impl Registry {
    /// Finds what a reference names, and for which platforms.
    ///
    /// The configuration is read only when a single manifest leaves its platform to it. Entries of
    /// an index that name no platform, as well as attestations, are left out.
    pub async fn resolve(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
    ) -> Result<ResolvedImage, RegistryError> {
        let subject = Subject::read(repository, Some(reference));
        let (raw, digest) = self.manifest(&subject).await?;
        let (platforms, is_index) = match subject.parse(&raw)? {
            Manifest::Index(platforms) => (platforms, true),
            Manifest::Image(parts) => {
                let size = u64::try_from(raw.bytes.len()).unwrap_or(u64::MAX);
                let platforms = self.single(&subject, &parts, &digest, size).await?;
                (platforms, false)
            }
        };
        Ok(ResolvedImage {
            digest,
            media_type: raw.media_type,
            platforms,
            is_index,
        })
    }

    /// Finds what a reference names, and reads the image for a platform if it has one, nothing twice.
    pub async fn find(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
        platform: &Platform,
    ) -> Result<(ResolvedImage, Option<RegistryImage>), RegistryError> {
        let subject = Subject::read(repository, Some(reference));
        let (raw, digest) = self.manifest(&subject).await?;
        let parts = match subject.parse(&raw)? {
            Manifest::Image(parts) => parts,
            Manifest::Index(platforms) => {
                let resolved = ResolvedImage {
                    digest,
                    media_type: raw.media_type,
                    platforms,
                    is_index: true,
                };
                let image = match resolved.manifest_for(platform) {
                    Some(manifest) => Some(self.image(repository, &manifest.digest).await?),
                    None => None,
                };
                return Ok((resolved, image));
            }
        };
        let size = u64::try_from(raw.bytes.len()).unwrap_or(u64::MAX);
        let mut resolved = ResolvedImage {
            digest: digest.clone(),
            media_type: raw.media_type.clone(),
            platforms: Vec::new(),
            is_index: false,
        };
        if !parts.has_platform() {
            return Ok((resolved, None));
        }
        let image = self.complete(&subject, raw, parts).await?;
        resolved
            .platforms
            .extend(image.platform().map(|platform| PlatformManifest {
                platform,
                digest,
                size,
            }));
        let fits = resolved.manifest_for(platform).is_some();
        Ok((resolved, fits.then_some(image)))
    }

    /// Reads the manifest of one platform, and its configuration.
    pub async fn image(
        &self,
        repository: &Repository,
        digest: &Digest,
    ) -> Result<RegistryImage, RegistryError> {
        let reference = ManifestReference::Digest(digest.clone());
        let subject = Subject::read(repository, Some(&reference));
        let (manifest, _) = self.manifest(&subject).await?;
        match subject.parse(&manifest)? {
            Manifest::Image(parts) => self.complete(&subject, manifest, parts).await,
            Manifest::Index(_) => {
                Err(subject.invalid("it is an index, and not the image of one platform"))
            }
        }
    }

    /// An image whose manifest is read already.
    async fn complete(
        &self,
        subject: &Subject<'_>,
        manifest: RawManifest,
        parts: ImageParts,
    ) -> Result<RegistryImage, RegistryError> {
        let (config_bytes, config) = self.config(subject, &parts.config).await?;
        Ok(RegistryImage {
            digest: manifest.digest(),
            manifest,
            config_descriptor: parts.config,
            layers: parts.layers,
            config,
            config_bytes,
        })
    }

    async fn single(
        &self,
        subject: &Subject<'_>,
        parts: &ImageParts,
        digest: &Digest,
        size: u64,
    ) -> Result<Vec<PlatformManifest>, RegistryError> {
        if !parts.has_platform() {
            return Ok(Vec::new());
        }
        let (_, config) = self.config(subject, &parts.config).await?;
        let platform = registry_image::platform_of(&config);
        let manifest = platform.map(|platform| PlatformManifest {
            platform,
            digest: digest.clone(),
            size,
        });
        Ok(manifest.into_iter().collect())
    }

    async fn config(
        &self,
        subject: &Subject<'_>,
        descriptor: &Descriptor,
    ) -> Result<(Vec<u8>, Value), RegistryError> {
        let bytes = self.blob(subject, descriptor).await?;
        let config = serde_json::from_slice(&bytes)
            .map_err(|error| error.to_string())
            .and_then(registry_image::well_formed)
            .map_err(|why| subject.invalid(&format!("the configuration cannot be read: {why}")))?;
        refuse_twin_keys(&bytes)
            .map_err(|why| subject.invalid(&format!("the configuration {why}")))?;
        Ok((bytes, config))
    }
}
