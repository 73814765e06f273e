//! The stub: an image with the source's configuration and nothing in it.

use std::io;

use serde_json::{Value, json};

use crate::domain::reference::digest::Digest;

/// The layer without files: the two blocks of zeros that end every tar.
const EMPTY_LAYER: [u8; 1024] = [0; 1024];

/// A stub as an archive for `POST /images/load`, in the form that every engine reads
/// (<https://github.com/moby/docker-image-spec/blob/main/spec.md#combined-image-json--filesystem-changeset-format>).
///
/// The configuration is the source's but for its layers: what falconutil reads of it, and what the
/// build on it inherits, is the same as with the source itself.
pub(crate) fn stub(source_config: &Value, name: &str) -> io::Result<Vec<u8>> {
    let diff_id = Digest::of(&EMPTY_LAYER);
    let mut config = source_config.clone();
    config["rootfs"] = json!({"type": "layers", "diff_ids": [diff_id.as_str()]});
    config["history"] = json!([{"created_by": "an empty layer"}]);
    let manifest = json!([{"Config": "config.json", "RepoTags": [name], "Layers": ["layer.tar"]}]);
    let mut archive = tar::Builder::new(Vec::new());
    for (path, bytes) in [
        ("manifest.json", manifest.to_string().as_bytes()),
        ("config.json", config.to_string().as_bytes()),
        ("layer.tar", &EMPTY_LAYER),
    ] {
        let mut header = tar::Header::new_ustar();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        archive.append_data(&mut header, path, bytes)?;
    }
    archive.into_inner()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::stub;

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
}
