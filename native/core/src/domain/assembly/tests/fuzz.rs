use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prop_assert;
use tar::Archive;

use super::layers::layer;
use crate::domain::assembly::layer_check::check_layer;
use crate::domain::reference::digest::Digest;
use crate::test_support::fuzz::{changed, fuzz};

fn packed(layer: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(layer).expect("room in memory");
    encoder.finish().expect("room in memory")
}

#[test]
fn a_cached_layer_of_any_content_is_refused_or_the_sensor_s_folder_alone() {
    let good = layer();
    let pieces: [&[u8]; 9] = [
        b"30 path=opt/CrowdStrike/evil\n",
        b"22 GNU.sparse.name=evil",
        b"../",
        b"/",
        b"\0",
        b"ustar\0",
        b"L",
        b"777777777777",
        b"etc/passwd",
    ];
    fuzz("cached-layers", &changed(&[&good], &pieces), |bytes| {
        if check_layer(packed(&bytes).as_slice(), &Digest::of(&bytes)).is_ok() {
            for entry in Archive::new(bytes.as_slice()).entries().expect("a tar") {
                let entry = entry.expect("an entry");
                let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
                prop_assert!(path.starts_with("opt/CrowdStrike"), "{path}");
                prop_assert!(!path.split('/').any(|part| part == ".."), "{path}");
            }
        }
        // What is not packed by gzip, or under another digest, is never a layer.
        prop_assert!(check_layer(bytes.as_slice(), &Digest::of(&bytes)).is_err());
        prop_assert!(check_layer(packed(&bytes).as_slice(), &Digest::of(b"another")).is_err());
        Ok(())
    });
}
