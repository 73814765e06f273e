//! Layers of the cache, which others may have pushed.

use std::io::{Cursor, Write as _};

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use crate::domain::assembly::layer_check::check_layer;
use crate::domain::assembly::sensor_folder::SensorFolder;
use crate::domain::reference::digest::Digest;

const ENTRYPOINT: &str = "CrowdStrike/rootfs/bin/falcon-entrypoint";

fn header(kind: EntryType, size: u64) -> Header {
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(0o755);
    header.set_uid(0);
    header.set_gid(0);
    header.set_size(size);
    header
}

/// The sensor's folder as an engine packs it, with a path that is too long for a header, a link and a second name.
fn archive() -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let mut folders = vec![
        "CrowdStrike/".to_owned(),
        "CrowdStrike/rootfs/".to_owned(),
        "CrowdStrike/rootfs/bin/".to_owned(),
    ];
    folders.extend((1..=30).map(|depth| format!("CrowdStrike/{}", "long/".repeat(depth))));
    for folder in folders {
        let mut header = header(EntryType::Directory, 0);
        builder
            .append_data(&mut header, folder, &b""[..])
            .expect("a folder");
    }
    builder
        .append_pax_extensions([("SCHILY.xattr.user.a", &b"1"[..]), ("mtime", b"1.5")])
        .expect("records");
    let mut file = header(EntryType::Regular, 7);
    builder
        .append_data(&mut file, ENTRYPOINT, &b"program"[..])
        .expect("a file");
    let deep = format!("CrowdStrike/{}end", "long/".repeat(30));
    let mut file = header(EntryType::Regular, 4);
    builder
        .append_data(&mut file, deep, &b"deep"[..])
        .expect("a file");
    let mut link = header(EntryType::Symlink, 0);
    builder
        .append_link(&mut link, "CrowdStrike/bin", "rootfs/bin")
        .expect("a link");
    let mut link = header(EntryType::Link, 0);
    let second = "CrowdStrike/rootfs/bin/second";
    builder
        .append_link(&mut link, second, ENTRYPOINT)
        .expect("a link");
    builder.into_inner().expect("an archive")
}

/// The layer that a graft makes of it.
pub(super) fn layer() -> Vec<u8> {
    let mut archive = Cursor::new(archive());
    let folder = SensorFolder::read("/opt/CrowdStrike", &mut archive).expect("a folder");
    let mut layer = Vec::new();
    folder.write(&mut archive, &mut layer).expect("a layer");
    layer
}

/// Checks an unpacked layer, with its own digest.
fn check(layer: &[u8]) -> Result<(), String> {
    check_layer(&packed(layer)[..], &Digest::of(layer))
}

fn packed(layer: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(layer).expect("memory");
    packer.finish().expect("memory")
}

/// An entry: its kind, its path, its records, and its content or its target.
type Given<'a> = (EntryType, &'a str, &'a [(&'a str, &'a [u8])], &'a [u8]);

/// A layer of these entries.
fn of(entries: &[Given<'_>]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (kind, path, records, content) in entries {
        builder
            .append_pax_extensions(records.iter().copied())
            .expect("records");
        let is_link = matches!(kind, EntryType::Symlink | EntryType::Link);
        let mut header = header(*kind, if is_link { 0 } else { content.len() as u64 });
        let name = path.as_bytes();
        let fields = header.as_ustar_mut().expect("a header");
        fields.name[..name.len()].copy_from_slice(name);
        if is_link {
            fields.linkname[..content.len()].copy_from_slice(content);
        }
        header.set_cksum();
        let content: &[u8] = if is_link { b"" } else { content };
        builder.append(&header, content).expect("an entry");
    }
    builder.into_inner().expect("an archive")
}

const FOLDER: EntryType = EntryType::Directory;
const FILE: EntryType = EntryType::Regular;
/// The folders around the program.
const FOLDERS: &[Given<'_>] = &[
    (FOLDER, "opt/CrowdStrike/", &[], b""),
    (FOLDER, "opt/CrowdStrike/rootfs/", &[], b""),
    (FOLDER, "opt/CrowdStrike/rootfs/bin/", &[], b""),
];
const PROGRAM: &str = "opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

#[test]
fn a_layer_that_a_graft_packs_passes() {
    assert_eq!(check(&layer()), Ok(()));
    let small = of(&[FOLDERS, &[(FILE, PROGRAM, &[], b"program")]].concat());
    assert_eq!(check(&small), Ok(()));
}

#[test]
fn a_layer_of_other_bytes_is_refused() {
    let layer = layer();
    let other = Digest::of(b"other");
    let why = check_layer(&packed(&layer)[..], &other).expect_err("another digest");
    assert!(why.contains("and the entry names"), "{why}");
    let whole = packed(&layer);
    for cut in [0, 10, whole.len() / 2, whole.len() - 4] {
        assert!(
            check_layer(&whole[..cut], &Digest::of(&layer)).is_err(),
            "{cut}"
        );
    }
    assert!(check_layer(&b"not gzip"[..], &Digest::of(b"not gzip")).is_err());
    assert!(check(b"").is_err());
    let behind = [&layer[..], &[0; 512], b"more"].concat();
    assert!(check(&behind).is_err());
}

#[test]
fn a_layer_with_anything_but_the_sensors_folder_is_refused() {
    let with = |kind, path, records: &[(&str, &[u8])], content: &[u8]| {
        let program: Given<'_> = (FILE, PROGRAM, &[], b"program");
        let mut entries = [FOLDERS, &[program, (kind, path, records, content)]].concat();
        entries.sort_by_key(|(_, path, ..)| *path);
        check(&of(&entries))
    };
    let ok = with(
        FILE,
        "opt/CrowdStrike/z",
        &[("SCHILY.xattr.user.a", b"1")],
        b"x",
    );
    assert_eq!(ok, Ok(()));
    let cases: &[Given<'_>] = &[
        (FILE, "etc/passwd", &[][..], &b"root"[..]),
        (FILE, "opt/CrowdStrikes", &[], b"x"),
        (FOLDER, "opt/", &[], b""),
        (FILE, "opt/CrowdStrike/../x", &[], b"x"),
        (FILE, "opt/CrowdStrike/.wh.a", &[], b""),
        (FILE, "./opt/CrowdStrike/z", &[], b"x"),
        (FILE, "/opt/CrowdStrike/z", &[], b"x"),
        (FOLDER, "opt/CrowdStrike/z", &[], b""),
        (EntryType::Char, "opt/CrowdStrike/z", &[], b""),
        (
            EntryType::XGlobalHeader,
            "opt/CrowdStrike/z",
            &[],
            b"11 path=/a\n",
        ),
        (EntryType::GNUSparse, "opt/CrowdStrike/z", &[], b"x"),
        (EntryType::Link, "opt/CrowdStrike/z", &[], b"etc/passwd"),
        (
            EntryType::Link,
            "opt/CrowdStrike/a",
            &[],
            b"opt/CrowdStrike/rootfs/bin/falcon-entrypoint",
        ),
        // Readers differ in which of these they obey.
        (
            FILE,
            "opt/CrowdStrike/z",
            &[("GNU.sparse.name", b"etc/passwd")],
            b"x",
        ),
        (FILE, "opt/CrowdStrike/z", &[("path", b"etc/passwd")], b"x"),
        (
            FILE,
            "opt/CrowdStrike/z",
            &[("path", b"opt/CrowdStrike/y")],
            b"x",
        ),
        (FILE, "opt/CrowdStrike/z", &[("size", b"0")], b"x"),
        (FILE, "opt/CrowdStrike/z", &[("mtime", b"1")], b"x"),
        (
            FILE,
            "opt/CrowdStrike/z",
            &[("SCHILY.xattr.b", b"1"), ("SCHILY.xattr.a", b"1")],
            b"x",
        ),
    ];
    for (kind, path, records, content) in cases {
        let seen = with(*kind, path, records, content);
        assert!(seen.is_err(), "{kind:?} {path} {records:?}");
    }
}

#[test]
fn a_path_behind_a_link_or_without_its_folder_is_refused() {
    const LINK: EntryType = EntryType::Symlink;
    let program: Given<'_> = (FILE, PROGRAM, &[], b"program");
    let cases: &[&[Given<'_>]] = &[
        &[
            (LINK, "opt/CrowdStrike/a", &[], b"/"),
            (FOLDER, "opt/CrowdStrike/a/etc/", &[], b""),
            (FILE, "opt/CrowdStrike/a/etc/passwd", &[], b"root"),
        ],
        &[(FILE, "opt/CrowdStrike/a/b", &[], b"x")],
        &[
            (FILE, "opt/CrowdStrike/a", &[], b"x"),
            (FILE, "opt/CrowdStrike/a/b", &[], b"x"),
        ],
    ];
    for entries in cases {
        let mut all = [FOLDERS, &[program], entries].concat();
        all.sort_by_key(|(_, path, ..)| *path);
        let why = check(&of(&all)).expect_err("not in a folder");
        assert!(why.contains("not in an earlier folder"), "{why}");
    }
    assert!(check(&of(&[&FOLDERS[1..], &[program]].concat())).is_err());
}

/// A member that names the entry behind it.
fn naming(kind: EntryType, name: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(name.len() as u64);
    header.set_cksum();
    let padding = vec![0; name.len().next_multiple_of(512) - name.len()];
    [header.as_bytes(), name, &padding].concat()
}

#[test]
fn an_extension_that_this_task_never_writes_is_refused() {
    let layer = layer();
    for (kind, name) in [
        (EntryType::GNULongName, &b"opt/CrowdStrike/..\0\0"[..]),
        (EntryType::GNULongName, b"opt/CrowdStrike\0"),
        (EntryType::GNULongLink, b"etc\0"),
        (EntryType::XGlobalHeader, b"12 path=etc\n"),
    ] {
        let why = check(&[&naming(kind, name), &layer[..]].concat()).expect_err("an extension");
        assert!(why.contains("never writes"), "{why}");
    }
    let long = vec![b'x'; 70_000];
    let why = check(&[&naming(EntryType::XHeader, &long), &layer[..]].concat());
    assert!(why.expect_err("long").contains("more records"));
    let size = naming(EntryType::XHeader, b"10 size=1\n");
    let why = check(&[&size, &layer[..]].concat()).expect_err("a size");
    assert!(why.contains("a size among its records"), "{why}");
}

#[test]
fn a_layer_in_another_order_or_without_the_sensor_is_refused() {
    let program: Given<'_> = (FILE, PROGRAM, &[], b"program");
    let empty: Given<'_> = (FILE, PROGRAM, &[], b"");
    assert_eq!(check(&of(&[FOLDERS, &[program]].concat())), Ok(()));
    assert!(check(&of(&[&[program], FOLDERS].concat())).is_err());
    assert!(check(&of(&[FOLDERS, &[program, program]].concat())).is_err());
    assert!(check(&of(FOLDERS)).is_err());
    assert!(check(&of(&[FOLDERS, &[empty]].concat())).is_err());
}

#[test]
fn a_header_with_a_time_or_a_name_is_refused() {
    let mut layer = layer();
    layer[136..147].copy_from_slice(b"00000000001");
    let mut header = Header::from_byte_slice(&layer[..512]).clone();
    header.set_cksum();
    layer[..512].copy_from_slice(header.as_bytes());
    let why = check(&layer).expect_err("a time");
    assert!(why.contains("in the form"), "{why}");
}
