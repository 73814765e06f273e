//! The layer that falconutil added, from the engine's export to the file that is uploaded.

use std::io::{Read as _, Write as _};
use std::path::Path;

use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use tar::{Archive, Builder, EntryType, Header};

use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::packed_layer::PackedLayer;
use crate::domain::reference::digest::Digest;
use crate::flow::run::graft::delta::{DeltaError, take};

/// One entry of a layer.
#[derive(Clone)]
struct Packed {
    kind: EntryType,
    path: String,
    link: Option<&'static str>,
    content: &'static [u8],
    mode: u32,
    owner: u64,
    records: Vec<(&'static str, &'static [u8])>,
}

fn packed(kind: EntryType, path: &str) -> Packed {
    Packed {
        kind,
        path: path.to_owned(),
        link: None,
        content: b"",
        mode: 0o755,
        owner: 0,
        records: Vec::new(),
    }
}

/// The files of falconutil's one `COPY`, with one of each kind.
fn sensor() -> Vec<Packed> {
    let file = |path: &str, content| Packed {
        content,
        mode: 0o4555,
        owner: 7,
        ..packed(EntryType::Regular, path)
    };
    vec![
        packed(EntryType::Directory, "opt/"),
        packed(EntryType::Directory, "opt/CrowdStrike/"),
        Packed {
            records: vec![
                ("SCHILY.xattr.security.capability", &[1, 0, 0, 2, 0, 255]),
                ("mtime", b"1700000000.5"),
                ("LIBARCHIVE.creationtime", b"1700000000"),
            ],
            ..file("opt/CrowdStrike/falcon", b"program")
        },
        Packed {
            link: Some("falcon"),
            ..packed(EntryType::Symlink, "opt/CrowdStrike/link")
        },
        Packed {
            link: Some("opt/CrowdStrike/falcon"),
            ..packed(EntryType::Link, "opt/CrowdStrike/hard")
        },
        file(&format!("opt/CrowdStrike/{}", "long/".repeat(30)), b"deep"),
        packed(EntryType::Fifo, "opt/CrowdStrike/pipe"),
    ]
}

/// A layer as an engine packs it at some time.
fn layer(entries: &[Packed], time: u64) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let records = entry.records.iter().copied();
        builder.append_pax_extensions(records).expect("records");
        let mut header = Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_mode(entry.mode);
        header.set_uid(entry.owner);
        header.set_gid(entry.owner);
        header.set_mtime(time);
        header
            .set_username(&format!("user-{time}"))
            .expect("a name");
        header.set_size(entry.content.len() as u64);
        let appended = match entry.link {
            Some(link) => builder.append_link(&mut header, &entry.path, link),
            None => {
                builder.append_data(&mut header, entry.path.trim_end_matches('/'), entry.content)
            }
        };
        appended.expect("an entry");
    }
    builder.into_inner().expect("a layer")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), flate2::Compression::default());
    packer.write_all(bytes).expect("packed");
    packer.finish().expect("packed")
}

/// An image as the engine exports it: the layer beside documents and the stub's own layer.
fn export(layer: &[u8]) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    let (empty, json) = ([0; 1024], br#"{"architecture":"arm64"}"#);
    for (name, bytes) in [
        ("blobs/sha256/1", &json[..]),
        ("blobs/sha256/2", &empty),
        ("blobs/sha256/3", layer),
        ("index.json", b"{}"),
        ("manifest.json", b"[]"),
    ] {
        let mut header = Header::new_gnu();
        header.set_size(bytes.len() as u64);
        builder
            .append_data(&mut header, name, bytes)
            .expect("a file");
    }
    builder.into_inner().expect("an export")
}

/// Extracts a layer from an export that holds it unpacked or packed.
fn taken(layer: &[u8], is_packed: bool, spool: &Path) -> Result<PackedLayer, DeltaError> {
    let blob = if is_packed {
        gzip(layer)
    } else {
        layer.to_vec()
    };
    take(&export(&blob)[..], Digest::of(layer).as_str(), spool)
}

fn obstacle(entries: &[Packed]) -> Obstacle {
    let folder = tempfile::tempdir().expect("a folder");
    match taken(&layer(entries, 1), false, &folder.path().join("layer")) {
        Err(DeltaError::Obstacle(obstacle)) => obstacle,
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_same_files_give_the_same_bytes_whenever_and_wherever_they_are_packed() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join("layer");
    let first = taken(&layer(&sensor(), 1_700_000_000), false, &spool).expect("a layer");
    let bytes = std::fs::read(&spool).expect("the file");
    assert_eq!(
        (Digest::of(&bytes), bytes.len() as u64),
        (first.digest.clone(), first.size)
    );
    let mut unpacked = Vec::new();
    GzDecoder::new(&bytes[..])
        .read_to_end(&mut unpacked)
        .expect("a gzip");
    assert_eq!(Digest::of(&unpacked), first.diff_id);
    for (time, is_packed) in [(1_700_000_000, true), (1_800_000_000, false)] {
        let again = taken(&layer(&sensor(), time), is_packed, &spool);
        assert_eq!(again.expect("a layer"), first, "{time} {is_packed}");
    }
    let mut other = sensor();
    other[2].content = b"another";
    let other = taken(&layer(&other, 1_700_000_000), false, &spool).expect("a layer");
    assert_ne!(other.diff_id, first.diff_id);
}

#[test]
fn what_files_are_stays_and_the_folder_of_the_source_is_left_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join("layer");
    taken(&layer(&sensor(), 1_700_000_000), true, &spool).expect("a layer");
    let bytes = std::fs::read(&spool).expect("the file");
    let mut archive = Archive::new(GzDecoder::new(&bytes[..]));
    let mut seen = Vec::new();
    for entry in archive.entries().expect("a tar") {
        let mut entry = entry.expect("an entry");
        let records = entry
            .pax_extensions()
            .expect("records")
            .into_iter()
            .flatten();
        let records: Vec<String> = records
            .map(|record| record.expect("a record").key().expect("a key").to_owned())
            .collect();
        let header = entry.header().clone();
        assert_eq!(
            (header.mtime().ok(), header.username().ok()),
            (Some(0), Some(Some("")))
        );
        let mut content = String::new();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let link = entry
            .link_name()
            .expect("a link")
            .map(|link| link.display().to_string());
        entry.read_to_string(&mut content).expect("content");
        seen.push(format!(
            "{:?} {path} {:o} {} {} {content} {records:?}",
            header.entry_type(),
            header.mode().expect("a mode"),
            header.uid().expect("an owner"),
            link.unwrap_or_default(),
        ));
    }
    let deep = "long/".repeat(30);
    let deep = deep.trim_end_matches('/');
    assert_eq!(
        seen,
        [
            "Directory opt/CrowdStrike 755 0   []".to_owned(),
            "Regular opt/CrowdStrike/falcon 4555 7  program [\"SCHILY.xattr.security.capability\"]"
                .to_owned(),
            "Symlink opt/CrowdStrike/link 755 0 falcon  []".to_owned(),
            "Link opt/CrowdStrike/hard 755 0 opt/CrowdStrike/falcon  []".to_owned(),
            format!("Regular opt/CrowdStrike/{deep} 4555 7  deep [\"path\"]"),
            "Fifo opt/CrowdStrike/pipe 755 0   []".to_owned(),
        ]
    );
}

#[test]
fn a_layer_that_changes_more_than_the_sensors_folder_is_not_grafted() {
    for path in [
        "etc/passwd",
        "opt/CrowdStrike-else/file",
        "opt/else",
        "opt/CrowdStrike/../../etc/passwd",
        "opt/CrowdStrike/.wh.file",
        ".wh.opt",
    ] {
        let mut header = Header::new_gnu();
        let mut entries = sensor();
        entries.push(packed(EntryType::Fifo, "opt/CrowdStrike/last"));
        // The builder refuses such names, so they are written over another.
        let mut bytes = layer(&entries, 1);
        let at = find(&bytes, b"opt/CrowdStrike/last");
        bytes[at..at + 100].fill(0);
        bytes[at..at + path.len()].copy_from_slice(path.as_bytes());
        header.as_mut_bytes().copy_from_slice(&bytes[at..at + 512]);
        header.set_cksum();
        bytes[at..at + 512].copy_from_slice(header.as_bytes());
        let folder = tempfile::tempdir().expect("a folder");
        let found = taken(&bytes, false, &folder.path().join("layer"));
        let path = path.to_owned();
        match found {
            Err(DeltaError::Obstacle(found)) => assert_eq!(found, Obstacle::Elsewhere { path }),
            other => panic!("{path}: {other:?}"),
        }
    }
}

fn find(bytes: &[u8], text: &[u8]) -> usize {
    let mut windows = bytes.windows(text.len());
    windows.position(|window| window == text).expect("the text")
}

#[test]
fn a_hard_link_to_a_file_of_the_source_is_not_grafted() {
    let mut entries = sensor();
    entries[4].link = Some("etc/passwd");
    let path = "etc/passwd".to_owned();
    assert_eq!(obstacle(&entries), Obstacle::Elsewhere { path });
}

#[test]
fn an_export_without_the_layer_or_broken_off_is_an_obstacle() {
    let folder = tempfile::tempdir().expect("a folder");
    let spool = folder.path().join("layer");
    let diff_id = Digest::of(b"another layer").to_string();
    let export = export(&layer(&sensor(), 1));
    let missing = take(&export[..], &diff_id, &spool);
    assert!(matches!(
        missing,
        Err(DeltaError::Obstacle(Obstacle::LayerMissing { .. }))
    ));
    let layer = layer(&sensor(), 1);
    for end in [0, 700, 3000, 6000] {
        let broken = take(&export[..end], Digest::of(&layer).as_str(), &spool);
        assert!(
            matches!(broken, Err(DeltaError::Obstacle(_))),
            "{end}: {broken:?}"
        );
    }
}

#[test]
fn a_disk_that_takes_no_layer_is_a_failure() {
    let missing = Path::new("/nowhere/layer");
    let failed = taken(&layer(&sensor(), 1), false, missing);
    assert!(
        matches!(failed, Err(DeltaError::Spool { .. })),
        "{failed:?}"
    );
}
