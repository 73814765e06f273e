//! A verified image as a JavaScript object.

use falcon_patch_core::{Record, outcome};
use napi_derive::napi;

use crate::number::number;

/// An image that was found to be patched.
#[napi(object, object_from_js = false)]
pub struct VerifiedImage {
    /// The image by the digest of its ARM64 manifest.
    pub image_reference: String,
    /// The image by its tag; missing where the input has a digest.
    pub image_tag: Option<String>,
    /// The digest of its ARM64 manifest.
    pub image_digest: String,
    /// True if the input names an index, of which only the ARM64 image was checked.
    pub from_index: bool,
    /// Its entrypoint.
    pub entrypoint: Vec<String>,
    /// The sensor's version, where it is recorded.
    pub sensor_version: Option<String>,
    /// The cloud service that the sensor assumes.
    pub cloud_service: Option<String>,
    /// The container's name that the sensor assumes.
    pub container_name: Option<String>,
    /// Compressed bytes of its layers.
    pub bytes: f64,
    /// The name of the source that it was compared with.
    pub source_reference: Option<String>,
    /// The digest of that source's ARM64 manifest.
    pub source_digest: Option<String>,
    /// The registry's record of the patch.
    pub record: Option<ImageRecord>,
}

/// A record of a patch. Trust an unsigned one only as far as everyone who can push to the repository.
#[napi(object, object_from_js = false)]
pub struct ImageRecord {
    /// The source's name.
    pub source_reference: Option<String>,
    /// The digest of the source's ARM64 manifest; missing for an image of an engine.
    pub source_digest: Option<String>,
    /// The sensor's name.
    pub sensor_reference: Option<String>,
    /// The digest of the sensor's ARM64 manifest.
    pub sensor_digest: String,
    /// The page of the run that patched the image.
    pub run_url: Option<String>,
    /// Time of the push, in the form of RFC 3339.
    pub finished: Option<String>,
    /// The trusted key that has signed it; missing where no key is known.
    pub signer: Option<String>,
}

impl From<outcome::Verified> for VerifiedImage {
    fn from(image: outcome::Verified) -> Self {
        let (source_reference, source_digest) = match image.source {
            Some(source) => (Some(source.name), Some(source.digest.to_string())),
            None => (None, None),
        };
        Self {
            image_reference: image.repository.at(&image.digest),
            image_tag: image.tag.map(|tag| image.repository.tagged(&tag)),
            image_digest: image.digest.to_string(),
            from_index: image.from_index,
            entrypoint: image.entrypoint,
            sensor_version: image.sensor_version,
            cloud_service: image.cloud_service,
            container_name: image.container_name,
            bytes: number(image.bytes),
            source_reference,
            source_digest,
            record: image.record.map(Into::into),
        }
    }
}

impl From<Record> for ImageRecord {
    fn from(record: Record) -> Self {
        let told = record.told;
        let recipe = record.provenance.recipe;
        Self {
            source_reference: told.source,
            source_digest: recipe.source.map(|digest| digest.to_string()),
            sensor_reference: told.sensor,
            sensor_digest: recipe.sensor.to_string(),
            run_url: told.run,
            finished: told.finished,
            signer: record.provenance.signer,
        }
    }
}
