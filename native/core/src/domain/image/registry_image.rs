use serde_json::Value;

use super::descriptor::Descriptor;
use super::manifest::RawManifest;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;

/// One image for one platform, as far as it is JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryImage {
    /// The digest of the manifest.
    pub digest: Digest,
    /// The manifest.
    pub manifest: RawManifest,
    /// Descriptor of the configuration.
    pub config_descriptor: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
    /// The configuration with all its fields, known to a specification or not.
    pub config: Value,
    /// The configuration as the registry has it.
    pub config_bytes: Vec<u8>,
}

impl RegistryImage {
    /// The platform that the configuration names.
    #[must_use]
    pub fn platform(&self) -> Option<Platform> {
        Platform::named_in(&self.config)
    }

    /// The `config` object of the configuration: entrypoint, environment and the like.
    #[must_use]
    pub fn runtime_config(&self) -> &Value {
        &self.config["config"]
    }

    /// The digests of the layers, uncompressed, lowest first.
    #[must_use]
    pub fn diff_ids(&self) -> Vec<String> {
        diff_ids(&self.config)
    }

    /// The compressed size of all layers in bytes.
    #[must_use]
    pub fn layers_size(&self) -> u64 {
        self.layers
            .iter()
            .fold(0, |sum, layer| sum.saturating_add(layer.size))
    }
}

/// Returns a configuration whose parts are objects and lists of texts, as every comparison takes them.
pub fn well_formed(config: Value) -> Result<Value, String> {
    if !config.is_object() {
        return Err("it is not an object".to_owned());
    }
    for part in ["config", "rootfs"] {
        if !matches!(config[part], Value::Object(_) | Value::Null) {
            return Err(format!("its `{part}` is not an object"));
        }
    }
    // What is not a text in such a list would be left out by those who read it, and so of every comparison.
    for (name, list) in [
        ("Env", &config["config"]["Env"]),
        ("Entrypoint", &config["config"]["Entrypoint"]),
        ("Cmd", &config["config"]["Cmd"]),
        ("diff_ids", &config["rootfs"]["diff_ids"]),
    ] {
        let texts = list
            .as_array()
            .map(|list| list.iter().all(Value::is_string));
        if !list.is_null() && texts != Some(true) {
            return Err(format!("its `{name}` is not a list of texts"));
        }
    }
    Ok(config)
}

/// The digests of the layers that a configuration tells of, uncompressed, lowest first.
pub fn diff_ids(config: &Value) -> Vec<String> {
    let list = config["rootfs"]["diff_ids"].as_array();
    list.into_iter()
        .flatten()
        .filter_map(|id| id.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
impl RegistryImage {
    /// An image for linux/arm64, as far as tests look at it.
    pub(crate) fn of(diff_ids: &[&str], config: &serde_json::Value) -> Self {
        let whole = serde_json::json!({
            "os": "linux",
            "architecture": "arm64",
            "config": config,
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let config_bytes = whole.to_string().into_bytes();
        let config_descriptor = Descriptor::of(super::manifest::IMAGE_CONFIGS[0], &config_bytes);
        let manifest = RawManifest {
            media_type: super::manifest::OCI_MANIFEST.to_owned(),
            bytes: config_descriptor.digest.to_string().into_bytes(),
        };
        Self {
            digest: manifest.digest(),
            manifest,
            config_descriptor,
            layers: diff_ids
                .iter()
                .map(|id| Descriptor::of(super::manifest::OCI_GZIP_LAYER, id.as_bytes()))
                .collect(),
            config: whole,
            config_bytes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::well_formed;
    use serde_json::json;

    #[test]
    fn the_parts_of_a_configuration_are_objects_and_lists_of_texts() {
        for (config, expected) in [
            (json!({"config": {}, "rootfs": {"diff_ids": []}}), true),
            (json!({"config": null}), true),
            (json!({"rootfs": "x"}), false),
            (json!({"config": ["x"]}), false),
            (json!({"config": {"Env": null, "Entrypoint": ["a"]}}), true),
            (json!({"config": {"Entrypoint": ["a", 5]}}), false),
            (json!({"config": {"Env": "A=b"}}), false),
            (json!({"config": {"Cmd": [["a"]]}}), false),
            (json!({"rootfs": {"diff_ids": [null]}}), false),
            (json!("x"), false),
            (json!([]), false),
        ] {
            assert_eq!(well_formed(config.clone()).is_ok(), expected, "{config}");
        }
    }
}
