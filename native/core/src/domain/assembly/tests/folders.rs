//! The sensor's folder, from the engine's archive to the layer.

use std::io::{Cursor, Read as _};

use tar::{Archive, Builder, EntryType, Header};

use crate::domain::assembly::sensor_folder::SensorFolder;

/// One entry of an archive.
#[derive(Clone)]
struct Packed {
    kind: EntryType,
    path: String,
    link: Option<&'static str>,
    content: &'static [u8],
    records: Vec<(&'static str, &'static [u8])>,
}

fn packed(kind: EntryType, path: &str) -> Packed {
    Packed {
        kind,
        path: path.to_owned(),
        link: None,
        content: b"",
        records: Vec::new(),
    }
}

fn file(path: &str, content: &'static [u8]) -> Packed {
    Packed {
        content,
        ..packed(EntryType::Regular, path)
    }
}

fn link(kind: EntryType, path: &str, to: &'static str) -> Packed {
    Packed {
        link: Some(to),
        ..packed(kind, path)
    }
}

/// The files of falconutil's one `COPY`, with one of each kind.
fn sensor() -> Vec<Packed> {
    let deep = format!("CrowdStrike/{}", "long/".repeat(30));
    vec![
        packed(EntryType::Directory, "CrowdStrike/"),
        packed(EntryType::Directory, "CrowdStrike/rootfs/"),
        link(EntryType::Symlink, "CrowdStrike/rootfs/bin", "usr/bin"),
        packed(EntryType::Directory, "CrowdStrike/rootfs/usr/"),
        packed(EntryType::Directory, "CrowdStrike/rootfs/usr/bin/"),
        Packed {
            records: vec![
                ("SCHILY.xattr.security.capability", &[1, 0, 0, 2, 0, 255]),
                ("mtime", b"1700000000.5"),
            ],
            ..file("CrowdStrike/rootfs/usr/bin/falcon-entrypoint", b"program")
        },
        link(
            EntryType::Link,
            "CrowdStrike/rootfs/usr/bin/hard",
            "CrowdStrike/rootfs/usr/bin/falcon-entrypoint",
        ),
        packed(EntryType::Fifo, "CrowdStrike/pipe"),
        file(deep.trim_end_matches('/'), b"deep"),
    ]
}

/// An archive as an engine packs it at some time.
fn archive(entries: &[Packed], time: u64) -> Cursor<Vec<u8>> {
    let mut builder = Builder::new(Vec::new());
    for entry in entries {
        let records = entry.records.iter().copied();
        builder.append_pax_extensions(records).expect("records");
        let mut header = Header::new_gnu();
        header.set_entry_type(entry.kind);
        header.set_mode(0o104_755);
        header.set_uid(7);
        header.set_gid(7);
        header.set_mtime(time);
        header
            .set_username(&format!("user-{time}"))
            .expect("a name");
        header.set_size(entry.content.len() as u64);
        let path = entry.path.trim_end_matches('/');
        let appended = match entry.link {
            Some(link) => builder.append_link(&mut header, path, link),
            None => builder.append_data(&mut header, path, entry.content),
        };
        appended.expect("an entry");
    }
    Cursor::new(builder.into_inner().expect("an archive"))
}

fn read(entries: &[Packed]) -> Result<SensorFolder, String> {
    SensorFolder::read("/opt/CrowdStrike", archive(entries, 1)).map_err(|error| error.to_string())
}

fn layer(entries: &[Packed], time: u64) -> Vec<u8> {
    let mut archive = archive(entries, time);
    let folder = SensorFolder::read("/opt/CrowdStrike", &mut archive).expect("a folder");
    let mut layer = Vec::new();
    folder.write(&mut archive, &mut layer).expect("a layer");
    layer
}

/// Lists a layer: kind, path, mode, owner, link, content and the names of its records.
fn listed(layer: &[u8]) -> Vec<String> {
    let mut seen = Vec::new();
    for entry in Archive::new(layer).entries().expect("a tar") {
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
        let times = (header.mtime().ok(), header.username().ok());
        assert_eq!(times, (Some(0), Some(Some(""))));
        let mut content = String::new();
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let link = entry.link_name().expect("a link");
        let link = link.map(|link| link.display().to_string());
        entry.read_to_string(&mut content).expect("content");
        seen.push(format!(
            "{:?} {path} {:o} {} {} {content} {records:?}",
            header.entry_type(),
            header.mode().expect("a mode"),
            header.uid().expect("an owner"),
            link.unwrap_or_default(),
        ));
    }
    seen
}

#[test]
fn a_layer_holds_the_files_in_the_order_of_their_paths_without_their_times() {
    let deep = "long/".repeat(30);
    let deep = deep.trim_end_matches('/');
    assert_eq!(
        listed(&layer(&sensor(), 1_700_000_000)),
        [
            "Directory opt/CrowdStrike/ 4755 7   []",
            &format!("Regular opt/CrowdStrike/{deep} 4755 7  deep [\"path\"]"),
            "Fifo opt/CrowdStrike/pipe 4755 7   []",
            "Directory opt/CrowdStrike/rootfs/ 4755 7   []",
            "Symlink opt/CrowdStrike/rootfs/bin 4755 7 usr/bin  []",
            "Directory opt/CrowdStrike/rootfs/usr/ 4755 7   []",
            "Directory opt/CrowdStrike/rootfs/usr/bin/ 4755 7   []",
            "Regular opt/CrowdStrike/rootfs/usr/bin/falcon-entrypoint 4755 7  program [\"SCHILY.xattr.security.capability\"]",
            "Link opt/CrowdStrike/rootfs/usr/bin/hard 4755 7 opt/CrowdStrike/rootfs/usr/bin/falcon-entrypoint  []",
        ]
    );
}

#[test]
fn the_same_files_result_in_the_same_bytes_in_any_order_at_any_time() {
    let first = layer(&sensor(), 1);
    let mut turned = sensor();
    turned.reverse();
    // The engine that walks the other way meets the other name of the file first.
    for entry in &mut turned {
        let (name, other) = ("falcon-entrypoint", "CrowdStrike/rootfs/usr/bin/hard");
        if entry.path.ends_with(name) {
            *entry = link(EntryType::Link, &entry.path.clone(), other);
        } else if entry.path == other {
            *entry = file(other, b"program");
            entry.records = sensor()[5].records.clone();
        }
    }
    assert_eq!(listed(&layer(&turned, 1_800_000_000)), listed(&first));
    assert!(layer(&turned, 1_800_000_000) == first, "the bytes differ");
    let mut other = sensor();
    other[5].content = b"another";
    assert!(layer(&other, 1) != first, "other files");
}

#[test]
fn an_entry_that_is_not_within_the_folder_is_refused() {
    for entry in [
        file("etc/passwd", b"x"),
        file("CrowdStrike-else", b"x"),
        file("CrowdStrike/.wh.file", b"x"),
        file("CrowdStrike/.wh..wh..opq", b""),
        packed(EntryType::Char, "CrowdStrike/device"),
        file("CrowdStrike/pipe", b"x"),
        link(EntryType::Link, "CrowdStrike/hard", "etc/passwd"),
        link(EntryType::Link, "CrowdStrike/hard", "CrowdStrike/rootfs"),
    ] {
        let path = entry.path.clone();
        let mut entries = sensor();
        entries.push(entry);
        let why = read(&entries).expect_err(&path);
        assert!(why.contains(&path), "{path}: {why}");
    }
}

#[test]
fn an_archive_that_breaks_off_is_refused() {
    let whole = archive(&sensor(), 1).into_inner();
    for end in [700, 5_000] {
        let cut = Cursor::new(whole[..end].to_vec());
        assert!(
            SensorFolder::read("/opt/CrowdStrike", cut).is_err(),
            "{end}"
        );
    }
}

#[test]
fn the_program_is_found_through_links() {
    let program = "rootfs/bin/falcon-entrypoint";
    assert_eq!(
        read(&sensor()).expect("a folder").require_file(program),
        Ok(())
    );
    for (bin, found) in [
        ("/opt/CrowdStrike/rootfs/usr/bin", Ok(())),
        ("../rootfs/./usr/bin", Ok(())),
        ("bin", Err("too many links")),
        ("/usr/bin", Err("`/usr`, which is not there")),
        ("../../../../etc", Err("`/etc`, which is not there")),
        (
            "usr",
            Err("`/opt/CrowdStrike/rootfs/usr/falcon-entrypoint`, which is not there"),
        ),
    ] {
        let mut entries = sensor();
        entries[2] = link(EntryType::Symlink, "CrowdStrike/rootfs/bin", bin);
        let seen = read(&entries).expect("a folder").require_file(program);
        match found {
            Ok(()) => assert_eq!(seen, Ok(()), "{bin}"),
            Err(why) => assert!(
                seen.as_ref().is_err_and(|seen| seen.contains(why)),
                "{bin}: {seen:?}"
            ),
        }
    }
}

#[test]
fn a_program_that_is_not_a_file_with_something_in_it_is_none() {
    let (program, path) = (
        "rootfs/usr/bin/falcon-entrypoint",
        "CrowdStrike/rootfs/usr/bin/falcon-entrypoint",
    );
    for (entry, why) in [
        (file(path, b""), "an empty file"),
        (packed(EntryType::Directory, path), "not a file"),
        (packed(EntryType::Fifo, path), "not a file"),
    ] {
        let mut entries = sensor();
        entries[5] = entry;
        entries.remove(6);
        let seen = read(&entries).expect("a folder").require_file(program);
        assert!(
            seen.as_ref().is_err_and(|seen| seen.contains(why)),
            "{seen:?}"
        );
    }
}
