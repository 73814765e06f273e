//! The grafted image: the source's manifest and configuration with one layer more.

use serde_json::{Map, Value, json};

use crate::domain::engine::EngineImage;
use crate::domain::graft::packed_layer::PackedLayer;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::RawManifest;
use crate::domain::image::registry_image::{RegistryImage, diff_ids};

/// Change that falconutil made to the stub's configuration.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Change {
    /// The fields of the `config` object that are others now; null where one is gone.
    fields: Map<String, Value>,
    /// Time when it did so, as the engine tells it.
    created: Option<String>,
}

impl Change {
    /// Compares the patched stub with the stub, both as the engine tells of them: what the engine leaves
    /// out or adds by itself is the same in both, and so is not a change.
    pub(crate) fn between(stub: &EngineImage, patched: &EngineImage) -> Self {
        let empty = Map::new();
        let before = stub.config.as_object().unwrap_or(&empty);
        let after = patched.config.as_object().unwrap_or(&empty);
        let names = before.keys().chain(after.keys());
        let fields = names
            .map(|name| (name.clone(), patched.config[name].clone()))
            .filter(|(name, value)| stub.config[name] != *value);
        Self {
            fields: fields.collect(),
            created: patched.created.clone(),
        }
    }
}

/// The grafted image, ready to be pushed.
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
    /// The digests of the layers, uncompressed, lowest first.
    pub(crate) fn diff_ids(&self) -> Vec<String> {
        diff_ids(&self.config)
    }
}

/// Puts a layer and a change of the configuration on the source.
///
/// Every field of either document that is not about the layer, the change or the time stays as it is,
/// known or not. Media types stay in the source's family.
pub(crate) fn assemble(source: &RegistryImage, change: &Change, delta: &PackedLayer) -> Assembled {
    let config = config(&source.config, change, delta);
    let config_bytes = config.to_string().into_bytes();
    let config_descriptor = Descriptor::of(&source.config_descriptor.media_type, &config_bytes);
    let layer = Descriptor {
        media_type: source.manifest.gzip_layer().to_owned(),
        digest: delta.digest.clone(),
        size: delta.size,
    };
    Assembled {
        manifest: manifest(source, &config_descriptor, &layer),
        config,
        config_bytes,
        config_descriptor,
        layer,
    }
}

fn config(source: &Value, change: &Change, delta: &PackedLayer) -> Value {
    let mut config = source.clone();
    for (name, value) in &change.fields {
        config["config"][name] = value.clone();
    }
    if let Some(fields) = config["config"].as_object_mut() {
        fields.retain(|name, value| !value.is_null() || !change.fields.contains_key(name));
    }
    let mut entry = json!({"created_by": "falconutil patch-image", "comment": "grafted"});
    if let Some(created) = &change.created {
        config["created"] = json!(created);
        entry["created"] = json!(created);
    }
    push(
        &mut config["rootfs"]["diff_ids"],
        json!(delta.diff_id.as_str()),
    );
    // History is optional; one that begins with the last layer would be about the first.
    if config["history"].is_array() {
        push(&mut config["history"], entry);
    }
    config
}

/// The manifest's bytes with the configuration replaced and the layer added.
fn manifest(source: &RegistryImage, config: &Descriptor, layer: &Descriptor) -> RawManifest {
    let Ok(mut manifest) = serde_json::from_slice::<Value>(&source.manifest.bytes) else {
        unreachable!("the manifest was read when the source was looked up")
    };
    manifest["config"] = descriptor(config);
    push(&mut manifest["layers"], descriptor(layer));
    // A grafted image does not refer to what its source may have referred to.
    if let Some(fields) = manifest.as_object_mut() {
        fields.remove("subject");
    }
    RawManifest {
        media_type: source.manifest.media_type.clone(),
        bytes: manifest.to_string().into_bytes(),
    }
}

fn descriptor(descriptor: &Descriptor) -> Value {
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
