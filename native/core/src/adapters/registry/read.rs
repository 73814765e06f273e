//! Reading manifests and configurations.

use reqwest::header::CONTENT_TYPE;
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::answer::Refusal;
use super::client::Registry;
use super::error::RegistryError;
use super::subject::Subject;
use super::transport::Request;
use crate::adapters::http::client::Answer;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{
    ImageParts, Manifest, ManifestReference, PlatformManifest, RawManifest, ResolvedImage,
};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::{manifest, registry_image};
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// Largest manifest that registries accept
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests>).
const MANIFEST_LIMIT: usize = 4 * 1024 * 1024;

const BLOB_LIMIT: usize = 8 * 1024 * 1024;

const DIGEST_HEADER: &str = "docker-content-digest";

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
            return Err(subject.refused(&Refusal::of(&answer)));
        }
        // The answer to a HEAD has no body that could tell a missing tag from a missing repository,
        // or an old token from a missing right.
        match self.manifest(&subject).await {
            Ok((_, digest)) => Ok(Some(digest)),
            Err(RegistryError::ImageNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
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

    async fn config(
        &self,
        subject: &Subject<'_>,
        descriptor: &Descriptor,
    ) -> Result<(Vec<u8>, Value), RegistryError> {
        let bytes = self.blob(subject, descriptor).await?;
        let config = serde_json::from_slice(&bytes);
        let config = config.map_err(|error| {
            subject.invalid(&format!("the configuration cannot be read: {error}"))
        })?;
        Ok((bytes, config))
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

    pub(super) async fn get(
        &self,
        subject: &Subject<'_>,
        request: &Request,
    ) -> Result<Answer, RegistryError> {
        let answer = self
            .0
            .send(request)
            .await
            .map_err(|failed| subject.failed(failed))?;
        if answer.status == StatusCode::OK {
            return Ok(answer);
        }
        Err(subject.refused(&Refusal::of(&answer)))
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

    fn parse(&self, raw: &RawManifest) -> Result<Manifest, RegistryError> {
        manifest::parse(raw).map_err(|why| self.invalid(&why))
    }
}
