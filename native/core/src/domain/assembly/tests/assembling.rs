//! The patched image, put together.

use serde_json::{Value, json};

use crate::domain::assembly::assembled::Assembled;
use crate::domain::assembly::change::Change;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::RawManifest;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;

const DOCKER: &str = "application/vnd.docker.distribution.manifest.v2+json";

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

/// A source with something in every place that a patch must not touch.
fn source(media_type: &str, config_type: &str, layers: &[&str]) -> RegistryImage {
    let config = json!({
        "architecture": "arm64", "os": "linux", "variant": "v8", "author": "Web team",
        "created": "2026-01-01T00:00:00Z", "fromTheFuture": {"kept": [1, 2.5, null]},
        "config": {
            "Entrypoint": ["/entry"], "Cmd": ["web"], "Env": ["A=b"], "User": "101:101", "Labels": null,
            "Shell": ["/bin/sh"], "FromTheFuture": {"kept": true},
        },
        "rootfs": {"type": "layers", "diff_ids": ["sha256:a", "sha256:b"]},
        "history": [{"created_by": "ADD"}, {"created_by": "COPY"}, {"created_by": "CMD", "empty_layer": true}],
    });
    let config_bytes = config.to_string().into_bytes();
    let config_descriptor = Descriptor::of(config_type, &config_bytes);
    let layers: Vec<Descriptor> = layers
        .iter()
        .map(|media_type| Descriptor::of(media_type, media_type.as_bytes()))
        .collect();
    let listed: Vec<Value> = layers
        .iter()
        .map(|layer| {
            json!({
                "mediaType": layer.media_type, "digest": layer.digest.as_str(), "size": layer.size,
                "urls": ["https://layers.example/1"], "annotations": {"kept": "yes"},
            })
        })
        .collect();
    let manifest = json!({
        "schemaVersion": 2, "mediaType": media_type, "annotations": {"com.example.team": "web"},
        "config": {"mediaType": config_type, "digest": config_descriptor.digest.as_str(), "size": 1, "data": "e30="},
        "layers": listed, "fromTheFuture": 1,
        "subject": {"mediaType": media_type, "digest": Digest::of(b"x").as_str(), "size": 1},
    });
    let manifest = RawManifest {
        media_type: media_type.to_owned(),
        bytes: manifest.to_string().into_bytes(),
    };
    RegistryImage {
        digest: manifest.digest(),
        manifest,
        config_descriptor,
        layers,
        config,
        config_bytes,
    }
}

fn delta() -> PackedLayer {
    PackedLayer {
        diff_id: Digest::of(b"unpacked"),
        digest: Digest::of(b"packed"),
        size: 6,
    }
}

/// The change that falconutil makes, as an engine reports it: without unknown fields, with defaults, and without a field
/// that the builder drops.
fn change() -> Change {
    let before = json!({
        "Entrypoint": ["/entry"], "Cmd": ["web"], "Env": ["A=b"], "User": "101:101", "Labels": null,
        "Shell": ["/bin/sh"], "OnBuild": null, "Volumes": null,
    });
    let mut after = before.clone();
    after["Entrypoint"] = json!(["/falcon", "/entry"]);
    after["Env"] = json!(["A=b", "FALCONCTL_OPTS=--cid=1"]);
    after["ArgsEscaped"] = json!(true);
    after["Shell"] = Value::Null;
    Change::between(&before, &after).expect("a change")
}

fn patched(source: &RegistryImage) -> (Assembled, Value) {
    let assembled = Assembled::of(source, &change(), &delta()).expect("an image");
    let manifest = serde_json::from_slice(&assembled.manifest.bytes).expect("JSON");
    (assembled, manifest)
}

fn docker_source() -> RegistryImage {
    source(
        DOCKER,
        "application/vnd.docker.container.image.v1+json",
        &[
            "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ],
    )
}

fn oci_source() -> RegistryImage {
    source(
        OCI,
        "application/vnd.oci.image.config.v1+json",
        &[
            "application/vnd.oci.image.layer.v1.tar+zstd",
            "application/vnd.oci.image.layer.nondistributable.v1.tar",
        ],
    )
}

#[test]
fn only_what_falconutil_changed_changes_in_the_configuration() {
    let source = docker_source();
    let (assembled, _) = patched(&source);
    let mut expected = source.config.clone();
    expected["config"]["Entrypoint"] = json!(["/falcon", "/entry"]);
    expected["config"]["Env"] = json!(["A=b", "FALCONCTL_OPTS=--cid=1"]);
    let ids = json!(["sha256:a", "sha256:b", Digest::of(b"unpacked").as_str()]);
    expected["rootfs"]["diff_ids"] = ids;
    let history = expected["history"].as_array_mut().expect("a list");
    history
        .push(json!({"created_by": "falconutil patch-image", "created": "2026-01-01T00:00:00Z"}));
    assert_eq!(assembled.config, expected);
    let bytes: Value = serde_json::from_slice(&assembled.config_bytes).expect("JSON");
    assert_eq!(bytes, expected);
}

#[test]
fn a_source_without_a_history_stays_without_one() {
    let mut source = docker_source();
    source
        .config
        .as_object_mut()
        .expect("fields")
        .remove("history");
    let (assembled, _) = patched(&source);
    assert_eq!(assembled.config.get("history"), None);
    assert_eq!(assembled.diff_ids().len(), 3);
}

#[test]
fn the_manifest_is_the_sources_with_one_layer_more_of_its_own_family() {
    for (source, layer) in [
        (
            docker_source(),
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
        ),
        (oci_source(), "application/vnd.oci.image.layer.v1.tar+gzip"),
    ] {
        let (assembled, manifest) = patched(&source);
        assert_eq!(assembled.manifest.media_type, source.manifest.media_type);
        let mut expected: Value = serde_json::from_slice(&source.manifest.bytes).expect("JSON");
        let layers = expected["layers"].as_array_mut().expect("a list");
        layers
            .push(json!({"mediaType": layer, "digest": Digest::of(b"packed").as_str(), "size": 6}));
        expected["config"] = json!({
            "mediaType": source.config_descriptor.media_type,
            "digest": Digest::of(&assembled.config_bytes).as_str(),
            "size": assembled.config_bytes.len(),
        });
        expected.as_object_mut().expect("fields").remove("subject");
        assert_eq!(manifest, expected);
        let count = manifest["layers"].as_array().map(Vec::len);
        assert_eq!(count, Some(assembled.diff_ids().len()));
    }
}

#[test]
fn layers_that_registries_do_not_hold_are_known() {
    let foreign = |source: RegistryImage| -> Vec<bool> {
        source.layers.iter().map(Descriptor::is_foreign).collect()
    };
    assert_eq!(foreign(docker_source()), [true, false]);
    assert_eq!(foreign(oci_source()), [false, true]);
}

#[test]
fn a_source_without_a_time_stays_without_one() {
    let mut source = oci_source();
    let fields = source.config.as_object_mut().expect("fields");
    fields.remove("created");
    let (assembled, _) = patched(&source);
    assert_eq!(assembled.config.get("created"), None);
    assert_eq!(assembled.config["history"][3].get("created"), None);
}
