//! The ways in which a layer can be written and packed.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use tar::{Builder, EntryType, Header};

use super::{Layer, PROGRAM, gzip, is_present, read, search};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::sensor_files::answer::{Obstacle, SensorFiles};
use crate::domain::image::sensor_files::search::Search;

/// A small sensor's layer, packed by `zstd -19 --check`.
const ZSTD: &str = "KLUv/WQAJyUFAALHFheAqwPgyEygoI8mAM8SjtkVEnZ4QRoeKQl4R+iiouSlmHfbw9fM4w9dAPtYimRbWtblsVEomallhs9YTakUk+/2ZRWSU54/gTjtQyLkxccmGUpW1jQZY830TAcbIGBHipIH9cmeg6mmu8Ox5xqEinWAEvflWj2jEh4gJfRZAU4paFwRTczo0KMSnho6KhGYckAL0IPi4Ej5qIQDDgownvgbVV9bkw==";

/// Checks that a packed layer holds the program.
#[track_caller]
fn holds(packed: &[u8], tar: &[u8]) {
    let mut search = Search::new(FALCON_ENTRYPOINT);
    assert_eq!(read(&mut search, packed, tar), Ok(()));
    let answer = search.end();
    assert!(matches!(answer, SensorFiles::Present(_)), "{answer:?}");
}

/// The reason why a layer cannot be read.
#[track_caller]
fn obstacle(packed: &[u8], tar: &[u8]) -> String {
    let mut search = Search::new(FALCON_ENTRYPOINT);
    let read = read(&mut search, packed, tar);
    assert!(matches!(search.end(), SensorFiles::Missing(_)));
    read.expect_err("it cannot be read").to_string()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A frame of zstd without content.
fn skippable(content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len()).expect("it is short");
    [
        &[0x5a, 0x2a, 0x4d, 0x18],
        &length.to_le_bytes()[..],
        content,
    ]
    .concat()
}

#[test]
fn the_first_bytes_show_how_a_layer_is_packed() {
    let tar = Layer::sensor().file("large", &vec![7; 300_000]).tar();
    holds(&tar, &tar);
    holds(&gzip(&tar), &tar);
    holds(&zstd(&tar), &tar);
    let (first, second) = tar.split_at(700);
    holds(&[gzip(first), gzip(second)].concat(), &tar);
    holds(&[zstd(first), zstd(second)].concat(), &tar);
    let chunked = [skippable(b"x"), zstd(first), zstd(second), skippable(b"")];
    holds(&chunked.concat(), &tar);
}

#[test]
fn another_program_s_zstd_is_read() {
    let packed = BASE64_STANDARD.decode(ZSTD).expect("it is base64");
    let mut search = Search::new(FALCON_ENTRYPOINT);
    let layer = crate::domain::reference::digest::Digest::of(&packed);
    let diff_id = "sha256:389f4d0dc734adb2a2ebce330720607612c0a3ab18ce80448cfd4e0010ad4635";
    assert_eq!(search.read(&packed[..], &layer, diff_id), Ok(()));
    assert!(matches!(search.end(), SensorFiles::Present(_)));
}

#[test]
fn a_layer_is_nothing_without_the_digest_that_the_configuration_names() {
    let tar = Layer::sensor().tar();
    let other = Layer::new().tar();
    assert!(obstacle(&gzip(&tar), &other).contains("the configuration names"));
    // Bytes behind the last entry belong to it.
    let longer = [&tar[..], &[0; 512]].concat();
    assert!(obstacle(&gzip(&longer), &tar).contains("the configuration names"));
    holds(&gzip(&longer), &longer);
}

#[test]
fn what_cannot_be_unpacked_is_an_obstacle() {
    let tar = Layer::sensor().tar();
    let half = &tar[..700];
    let mut scratched = tar.clone();
    scratched[3] ^= 1;
    let endless = [&[0; 512], &tar[..]].concat();
    let mut packed = gzip(&tar);
    packed.truncate(packed.len() - 9);
    let mut frames = zstd(&tar);
    frames.truncate(frames.len() - 5);
    for (packed, tar, reason) in [
        (half, half, "ends before its end"),
        (&tar[..1536 + 3], &tar[..], "ends before its end"),
        (&scratched, &scratched, "not a tar archive"),
        (&endless, &endless, "goes on after its end"),
        (b"BZh91AY&SY", b"", "ends before its end"),
        (&packed, &tar, "cannot be unpacked"),
        (&frames, &tar, "cannot be unpacked"),
        (
            &[0x28, 0xb5, 0x2f, 0xfd, 0xff, 1],
            &tar,
            "cannot be unpacked",
        ),
        (&skippable(b"xy")[..9], &tar, "cannot be unpacked"),
    ] {
        let why = obstacle(packed, tar);
        assert!(why.contains(reason), "{reason}: {why}");
    }
}

#[test]
fn an_archive_may_end_without_its_end() {
    let tar = Layer::sensor().tar();
    let entries = tar.len() - 1024;
    holds(&tar[..entries], &tar[..entries]);
    holds(&tar[..entries + 512], &tar[..entries + 512]);
    let mut empty = Search::new(FALCON_ENTRYPOINT);
    assert_eq!(read(&mut empty, b"", b""), Ok(()));
}

#[test]
fn paths_may_begin_at_the_root_or_with_a_dot() {
    for prefix in ["./", "/", ".//", ""] {
        let layer = Layer::new()
            .folder("./")
            .link(&format!("{prefix}opt/CrowdStrike/rootfs/bin"), "usr/bin")
            .file(&format!("{prefix}{PROGRAM}"), b"program");
        is_present(vec![layer]);
    }
    let above = Layer::new().file("../opt/x", b"");
    let (answer, _) = search(vec![above, Layer::sensor()]);
    assert!(
        matches!(&answer, SensorFiles::Unknown(Obstacle::Unreadable(why)) if why.contains("`..`")),
        "{answer:?}"
    );
}

#[test]
fn old_archives_mark_a_folder_by_its_name() {
    let layer = Layer::sensor().entry(EntryType::Regular, "opt/CrowdStrike/", "", b"");
    is_present(vec![layer]);
}

/// A layer in which the last entry has a header before it.
fn extended(kind: EntryType, content: &[u8], name: &str, size: u64) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_size(content.len() as u64);
    header.set_cksum();
    builder.append(&header, content).expect("a layer");
    let mut header = Header::new_ustar();
    header.set_path(name).expect("it is short");
    header.set_size(size);
    header.set_cksum();
    builder.append(&header, &b"program"[..]).expect("a layer");
    builder.into_inner().expect("a layer")
}

#[test]
fn long_names_are_in_headers_of_their_own() {
    let path = &FALCON_ENTRYPOINT[1..];
    let gnu = format!("{path}\0");
    holds(
        &extended(EntryType::GNULongName, gnu.as_bytes(), "short", 7),
        &extended(EntryType::GNULongName, gnu.as_bytes(), "short", 7),
    );
    let record = |key: &str, value: &[u8]| {
        let rest = [b" ", key.as_bytes(), b"=", value, b"\n"].concat();
        let length = (2..5).map(|digits| rest.len() + digits);
        let length = length
            .into_iter()
            .find(|n| n.to_string().len() + rest.len() == *n);
        [length.expect("a length").to_string().as_bytes(), &rest].concat()
    };
    // Values of other records can have any bytes.
    let attribute = record("SCHILY.xattr.security.capability", b"\x01\n5 path=x\n\0");
    let pax = [attribute.clone(), record("path", path.as_bytes())].concat();
    let tar = extended(EntryType::XHeader, &pax, "short", 7);
    holds(&tar, &tar);
    // The size of such a header counts before the one in the entry's own, and what holds for all entries does not count.
    let sized = [pax.clone(), record("size", b"7")].concat();
    let tar = extended(EntryType::XHeader, &sized, "short", 0);
    holds(&tar, &tar);
    let tar = extended(EntryType::XGlobalHeader, &pax, path, 7);
    holds(&tar, &tar);
    for (records, reason) in [
        (b"5 path=x".to_vec(), "malformed"),
        (b"path=x\n".to_vec(), "malformed"),
        (b"99 path=x\n".to_vec(), "malformed"),
        (b"0 path=x\n".to_vec(), "malformed"),
        (record("size", b"-1"), "malformed"),
        (record("GNU.sparse.name", b"x"), "sparse"),
    ] {
        let tar = extended(EntryType::XHeader, &records, "short", 7);
        let why = obstacle(&tar, &tar);
        assert!(why.contains(reason), "{why}");
    }
}

#[test]
fn long_names_of_links_are_read_too() {
    let target = format!("{}/opt/CrowdStrike/rootfs/usr/bin", "/.".repeat(120));
    let mut layer = Layer::new().file(PROGRAM, b"program");
    let mut header = Header::new_gnu();
    header.set_entry_type(EntryType::Symlink);
    header.set_size(0);
    let link = "opt/CrowdStrike/rootfs/bin";
    layer
        .0
        .append_link(&mut header, link, &target)
        .expect("a layer");
    is_present(vec![layer]);
}
