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
