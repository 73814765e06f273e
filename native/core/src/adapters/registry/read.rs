//! Reading images: manifests and configurations.

use serde_json::Value;

use super::client::Registry;
use super::error::RegistryError;
use super::subject::Subject;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{
    ImageParts, IndexEntry, Manifest, ManifestReference, PlatformManifest, RawManifest,
    ResolvedImage,
};
use crate::domain::image::registry_image;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::twin_keys::refuse_twin_keys;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The most entries of an index whose configurations are read for their platforms.
const UNDECLARED: usize = 20;

impl Registry {
    /// Finds what a reference names, and for which platforms.
    ///
    /// A configuration is read only where a single manifest or an entry of an index leaves its platform to it. Entries
    /// that cannot be read are left out, unless `wanted` is not among the others.
    pub async fn resolve(
        &self,
        repository: &Repository,
        reference: &ManifestReference,
        wanted: &Platform,
    ) -> Result<ResolvedImage, RegistryError> {
        let subject = Subject::read(repository, Some(reference));
        let (raw, digest) = self.manifest(&subject).await?;
        let (platforms, is_index) = match subject.parse(&raw)? {
            Manifest::Index(entries) => (self.platforms(&subject, &entries, wanted).await?, true),
            Manifest::Image(parts) => {
                let size = u64::try_from(raw.bytes.len()).unwrap_or(u64::MAX);
                let platform = self.platform_of(&subject, &parts).await?;
                let manifest = platform.map(|platform| PlatformManifest {
                    platform,
                    digest: digest.clone(),
                    size,
                });
                (manifest.into_iter().collect(), false)
            }
        };
        Ok(ResolvedImage {
            digest,
            media_type: raw.media_type,
            platforms,
            is_index,
        })
    }

    /// Finds what a reference names, and reads the image for a platform if it has one.
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
            Manifest::Index(entries) => {
                let resolved = ResolvedImage {
                    digest,
                    media_type: raw.media_type,
                    platforms: self.platforms(&subject, &entries, platform).await?,
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

    /// The images of an index with their platforms, in its order.
    async fn platforms(
        &self,
        index: &Subject<'_>,
        entries: &[IndexEntry],
        wanted: &Platform,
    ) -> Result<Vec<PlatformManifest>, RegistryError> {
        let undeclared = entries.iter().filter(|entry| entry.platform.is_none());
        let can_read = undeclared.count() <= UNDECLARED;
        let looked_up = entries
            .iter()
            .map(|entry| self.platform_manifest(index, entry, can_read));
        let looked_up = futures_util::future::join_all(looked_up).await;
        let mut platforms = Vec::new();
        let mut failed = None;
        for (entry, found) in entries.iter().zip(looked_up) {
            let may_be_wanted = entry.platform.as_ref().is_none_or(|named| named == wanted);
            match found {
                Ok(manifest) => platforms.extend(manifest),
                Err(error) if may_be_wanted => failed = failed.or(Some(error)),
                Err(_) => {}
            }
        }
        match failed {
            Some(error) if !platforms.iter().any(|found| found.platform == *wanted) => Err(error),
            _ => Ok(platforms),
        }
    }

    /// The manifest of an entry with its platform; none if it is not an image for a platform.
    async fn platform_manifest(
        &self,
        index: &Subject<'_>,
        entry: &IndexEntry,
        can_read: bool,
    ) -> Result<Option<PlatformManifest>, RegistryError> {
        let descriptor = entry.descriptor.as_ref();
        let Descriptor { digest, size, .. } = descriptor.map_err(|why| index.invalid(why))?;
        let platform = match &entry.platform {
            Some(platform) => Some(platform.clone()),
            None if can_read => {
                let reference = ManifestReference::Digest(digest.clone());
                let subject = Subject::read(index.repository, Some(&reference));
                let (raw, _) = self.manifest(&subject).await?;
                match subject.parse(&raw)? {
                    Manifest::Image(parts) => self.platform_of(&subject, &parts).await?,
                    Manifest::Index(_) => None,
                }
            }
            None => {
                return Err(index.invalid(&format!(
                    "more than {UNDECLARED} entries of the index name no platform"
                )));
            }
        };
        Ok(platform.map(|platform| PlatformManifest {
            platform,
            digest: digest.clone(),
            size: *size,
        }))
    }

    /// The platform that an image's configuration names; none if it is an artifact's.
    async fn platform_of(
        &self,
        subject: &Subject<'_>,
        parts: &ImageParts,
    ) -> Result<Option<Platform>, RegistryError> {
        if !parts.has_platform() {
            return Ok(None);
        }
        let (_, config) = self.config(subject, &parts.config).await?;
        Ok(Platform::named_in(&config))
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
