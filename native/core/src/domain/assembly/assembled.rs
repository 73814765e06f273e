//! The assembled image: the source's manifest and configuration with one layer more.

use serde_json::{Value, json};

use super::change::Change;
use super::packed_layer::PackedLayer;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::RawManifest;
use crate::domain::image::proof::{Evidence, ProofError, prove};
use crate::domain::image::registry_image::{RegistryImage, diff_ids};
use crate::domain::platform::Platform;

/// The step that the history of every patched image ends with. Nothing of the run is in it, so that the same source,
/// sensor and options result in the same image.
const STEP: &str = "falconutil patch-image";

/// An image that is ready to be pushed.
#[derive(Clone, Debug, PartialEq)]
pub struct Assembled {
    /// The configuration with all its fields.
    pub(crate) config: Value,
    /// The configuration's bytes.
    pub(crate) config_bytes: Vec<u8>,
    /// Descriptor of the configuration.
    pub(crate) config_descriptor: Descriptor,
    /// Descriptor of the layer.
    pub(crate) layer: Descriptor,
    /// The manifest.
    pub(crate) manifest: RawManifest,
}

impl Assembled {
    /// Puts a layer and a change of the configuration on the source.
    ///
    /// Every field of either document that is not about the layer or the change stays as it is, known or not, and the
    /// times are the source's. Media types stay in the source's family.
    ///
    /// # Errors
    /// A sentence on a source whose manifest is not JSON.
    pub(crate) fn of(
        source: &RegistryImage,
        change: &Change,
        packed: &PackedLayer,
    ) -> Result<Self, serde_json::Error> {
        let config = config(&source.config, change, packed);
        let config_bytes = config.to_string().into_bytes();
        let config_descriptor = Descriptor::of(&source.config_descriptor.media_type, &config_bytes);
        let layer = Descriptor {
            media_type: source.manifest.gzip_layer().to_owned(),
            digest: packed.digest.clone(),
            size: packed.size,
        };
        Ok(Self {
            manifest: manifest(source, &config_descriptor, &layer)?,
            config,
            config_bytes,
            config_descriptor,
            layer,
        })
    }

    /// Compares the image with its source and with the options of falconutil.
    ///
    /// Returns the additions beyond falconutil's documentation, a phrase each.
    ///
    /// # Errors
    /// The first way in which it is not the source with the sensor.
    pub(crate) fn prove(
        &self,
        source: &RegistryImage,
        options: &FalconOptions,
    ) -> Result<Vec<String>, ProofError> {
        let arm64 = Platform::linux_arm64();
        let before = Evidence {
            platform: &arm64,
            diff_ids: &source.diff_ids(),
            config: source.runtime_config(),
        };
        let after = Evidence {
            platform: &arm64,
            diff_ids: &self.diff_ids(),
            config: &self.config["config"],
        };
        prove(before, after, options)
    }

    /// The digests of the layers, uncompressed, lowest first.
    pub(crate) fn diff_ids(&self) -> Vec<String> {
        diff_ids(&self.config)
    }
}

fn config(source: &Value, change: &Change, packed: &PackedLayer) -> Value {
    let mut config = source.clone();
    change.apply(&mut config["config"]);
    let mut entry = json!({ "created_by": STEP });
    if let Some(created) = source["created"].as_str() {
        entry["created"] = json!(created);
    }
    push(
        &mut config["rootfs"]["diff_ids"],
        json!(packed.diff_id.as_str()),
    );
    // History is optional; one that begins with the last layer would be about the first.
    if config["history"].is_array() {
        push(&mut config["history"], entry);
    }
    config
}

/// The manifest's bytes with the configuration replaced and the layer added.
fn manifest(
    source: &RegistryImage,
    config: &Descriptor,
    layer: &Descriptor,
) -> Result<RawManifest, serde_json::Error> {
    let mut manifest: Value = serde_json::from_slice(&source.manifest.bytes)?;
    manifest["config"] = descriptor(config);
    push(&mut manifest["layers"], descriptor(layer));
    // A patched image does not refer to what its source may have referred to.
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("subject");
    }
    Ok(RawManifest {
        media_type: source.manifest.media_type.clone(),
        bytes: manifest.to_string().into_bytes(),
    })
}

/// The JSON of a descriptor, as a manifest has it.
pub(crate) fn descriptor(descriptor: &Descriptor) -> Value {
    json!({
        "mediaType": descriptor.media_type,
        "digest": descriptor.digest.as_str(),
        "size": descriptor.size,
    })
}

fn push(list: &mut Value, item: Value) {
    if let Some(list) = list.as_array_mut() {
        list.push(item);
    }
}
