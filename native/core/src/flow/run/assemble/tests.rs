//! Archives of the engine, read without an engine.

use std::io::Read as _;
use std::path::Path;

use flate2::read::GzDecoder;

use super::pack::{NotPacked, pack};
use crate::domain::reference::digest::Digest;

mod exports;

#[test]
fn a_packed_layer_has_the_digests_of_its_bytes_and_of_its_content() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("layer");
    let content = b"content ".repeat(100_000);
    let write = |out: &mut dyn std::io::Write| out.write_all(&content);
    let Ok(layer) = pack::<std::io::Error>(&path, write) else {
        panic!("a layer was expected")
    };
    let bytes = std::fs::read(&path).expect("the file");
    assert_eq!(
        (Digest::of(&bytes), bytes.len() as u64),
        (layer.digest, layer.size)
    );
    let mut unpacked = Vec::new();
    GzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .expect("a gzip");
    assert_eq!(Digest::of(&unpacked), layer.diff_id);
    assert_eq!(unpacked, content);
}

#[test]
fn a_disk_and_a_layer_that_fail_are_told_apart() {
    let broken = |_: &mut dyn std::io::Write| Err(std::io::Error::other("broken off"));
    let folder = tempfile::tempdir().expect("a folder");
    let layer = pack::<std::io::Error>(&folder.path().join("layer"), broken);
    assert!(matches!(layer, Err(NotPacked::Layer(_))));
    let full = |out: &mut dyn std::io::Write| out.write_all(&vec![0; 1 << 20]);
    let file = pack::<std::io::Error>(Path::new("/nowhere/layer"), full);
    assert!(matches!(file, Err(NotPacked::File(_))));
}
