use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{Builder, Header};

use crate::domain::reference::digest::Digest;
use crate::flow::run::assemble::added_files::foreign_paths;
use crate::flow::run::assemble::engine_source::{describe, store};
use crate::report::problem::Problem;

fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (path, bytes) in files {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder
            .append_data(&mut header, path, *bytes)
            .expect("a file");
    }
    builder.into_inner().expect("a tar")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::default());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

/// An image as the engine exports it, its documents after its layers; the second layer is packed.
fn export(layers: &[Vec<u8>; 2], config: &Value) -> Vec<u8> {
    let config = config.to_string();
    let list =
        json!([{"Config": "blobs/sha256/c", "Layers": ["blobs/sha256/1", "blobs/sha256/2"]}]);
    tar(&[
        ("blobs/sha256/1", &layers[0]),
        ("blobs/sha256/2", &gzip(&layers[1])),
        ("blobs/sha256/c", config.as_bytes()),
        ("index.json", b"{}"),
        ("manifest.json", list.to_string().as_bytes()),
    ])
}

fn layers() -> [Vec<u8>; 2] {
    [tar(&[("app", b"one")]), tar(&[("app", b"two")])]
}

fn config(diff_ids: &[&Vec<u8>]) -> Value {
    let ids: Vec<String> = diff_ids
        .iter()
        .map(|layer| Digest::of(layer).to_string())
        .collect();
    json!({"architecture": "arm64", "os": "linux", "config": {"Cmd": ["web"]}, "rootfs": {"diff_ids": ids}})
}

fn problem(error: impl Into<Problem>) -> String {
    let problem = error.into();
    format!("{} {}", problem.what, problem.why.join(" "))
}

#[test]
fn an_exported_image_is_described_as_a_registry_would_have_it() {
    let (layers, folder) = (layers(), tempfile::tempdir().expect("a folder"));
    // The same layer twice, as images with empty layers have it.
    let config = config(&[&layers[0], &layers[1], &layers[0]]);
    let Ok(image) = store(&export(&layers, &config)[..], folder.path()) else {
        panic!("an image was expected")
    };
    let (image, files) = describe(&image).expect("an image");
    assert_eq!(image.config, config);
    assert_eq!(image.config_bytes, config.to_string().into_bytes());
    assert_eq!(image.diff_ids().len(), 3);
    for (layer, file) in std::iter::zip(&image.layers, &files) {
        let bytes = std::fs::read(file).expect("a file");
        assert_eq!(
            (&layer.digest, layer.size),
            (&Digest::of(&bytes), bytes.len() as u64)
        );
    }
    // What was packed stays as it was, so that its digest is the one that a registry may have.
    assert_eq!(image.layers[1].digest, Digest::of(&gzip(&layers[1])));
    let manifest: Value = serde_json::from_slice(&image.manifest.bytes).expect("JSON");
    assert_eq!(manifest["layers"].as_array().map(Vec::len), Some(3));
    assert_eq!(image.digest, Digest::of(&image.manifest.bytes));
}

#[test]
fn an_export_that_lacks_a_part_is_refused() {
    let layers = layers();
    let missing = tar(&[("app", b"three")]);
    let folder = tempfile::tempdir().expect("a folder");
    let whole = export(&layers, &config(&[&layers[0], &missing]));
    let Ok(image) = store(&whole[..], folder.path()) else {
        panic!("an image was expected")
    };
    let why = describe(&image).expect_err("a layer is missing");
    assert!(why.contains("lacks the layer"), "{why}");
    let Ok(image) = store(&tar(&[("index.json", b"{}")])[..], folder.path()) else {
        panic!("an image was expected")
    };
    assert!(describe(&image).is_err_and(|why| why.contains("`manifest.json`")));
    assert!(store(&whole[..1_500], folder.path()).is_err());
}

#[test]
fn foreign_paths_of_the_added_layers_are_found_and_others_are_not_looked_at() {
    let sensor = tar(&[("opt/CrowdStrike/rootfs/bin/falcon-entrypoint", b"program")]);
    let foreign = tar(&[
        ("opt/CrowdStrike/x", b""),
        ("usr/local/bin/app", b"other"),
        ("opt/else", b""),
        ("opt/CrowdStrike-else", b""),
        ("opt/CrowdStrike/.wh.file", b""),
        (".wh.opt", b""),
    ]);
    for packed in [
        [sensor.clone(), foreign.clone()],
        [foreign.clone(), sensor.clone()],
    ] {
        let export = export(&packed, &json!({}));
        let id = |layer: &[u8]| Digest::of(layer).to_string();
        let clean = foreign_paths(&export[..], &[id(&sensor)]).expect("paths");
        assert_eq!(clean.count, 0, "{:?}", clean.first);
        let found = foreign_paths(&export[..], &[id(&sensor), id(&foreign)]).expect("paths");
        assert_eq!((found.count, found.first.len()), (5, 5));
        assert_eq!(found.first[0], "usr/local/bin/app");
        let lost = foreign_paths(&export[..], &[id(b"another")]).expect_err("no layer");
        assert!(problem(lost).contains("lacks the layer"));
        assert!(foreign_paths(&export[..2_000], &[id(&sensor)]).is_err());
    }
}
