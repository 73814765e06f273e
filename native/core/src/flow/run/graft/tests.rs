//! The rules of grafting that need neither an engine nor a registry.

use crate::domain::graft::stub::stub;
use serde_json::{Value, json};

use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::plan::graft_source::GraftSource;

fn source(config: &Value) -> SourceFacts {
    let image = RegistryImage::of(&["sha256:a", "sha256:b"], config);
    SourceFacts {
        name: "registry.example/app/web:1.4.2".to_owned(),
        config: image.runtime_config().clone(),
        diff_ids: image.diff_ids(),
        bytes: Some(image.layers_size()),
        place: SourcePlace::Registry {
            repository: Repository::new("registry.example", "app/web"),
            image: image.into(),
            from_index: false,
        },
    }
}

#[test]
fn triggers_forbid_a_graft_and_their_absence_does_not() {
    for (triggers, forbids) in [
        (json!(null), false),
        (json!([]), false),
        (json!(["RUN make"]), true),
    ] {
        let source = source(&json!({"Cmd": ["web"], "OnBuild": triggers}));
        let obstacle = GraftSource::of(&source).err();
        assert_eq!(obstacle, forbids.then_some(Obstacle::OnBuild), "{triggers}");
    }
}

#[test]
fn a_source_must_have_a_manifest_that_fits_its_configuration() {
    let mut local = source(&json!({}));
    local.place = SourcePlace::Engine {
        id: "sha256:c".to_owned(),
    };
    assert_eq!(
        GraftSource::of(&local).err(),
        Some(Obstacle::SourceInEngine)
    );

    let mut miscounted = source(&json!({}));
    let mut image = RegistryImage::of(&["sha256:a", "sha256:b"], &json!({}));
    image.layers.pop();
    miscounted.place = SourcePlace::Registry {
        repository: Repository::new("registry.example", "app/web"),
        image: image.into(),
        from_index: false,
    };
    let obstacle = Obstacle::LayersUncounted { told: 2, held: 1 };
    assert_eq!(GraftSource::of(&miscounted).err(), Some(obstacle));
}

#[test]
fn a_stub_is_the_source_without_its_files() {
    let config = json!({
        "architecture": "arm64", "os": "linux", "variant": "v8", "created": "2026-01-01T00:00:00Z",
        "config": {"Cmd": ["web"], "FromTheFuture": true},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:a", "sha256:b"]},
        "history": [{"created_by": "ADD"}, {"created_by": "COPY"}],
    });
    let archive = stub(&config, "falcon-patch.invalid/run:stub").expect("an archive");
    let mut files = std::collections::HashMap::new();
    for entry in tar::Archive::new(&archive[..]).entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let name = entry.path().expect("a path").display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).expect("its bytes");
        files.insert(name, bytes);
    }
    let read = |name: &str| -> Value { serde_json::from_slice(&files[name]).expect("JSON") };
    let manifest = &read("manifest.json")[0];
    assert_eq!(
        manifest["RepoTags"],
        json!(["falcon-patch.invalid/run:stub"])
    );
    let mut stub = read("config.json");
    let layer = crate::domain::reference::digest::Digest::of(&files["layer.tar"]);
    assert_eq!(stub["rootfs"]["diff_ids"], json!([layer.as_str()]));
    assert_eq!(stub["history"].as_array().map(Vec::len), Some(1));
    for part in ["rootfs", "history"] {
        stub[part] = config[part].clone();
    }
    assert_eq!(stub, config);
}
