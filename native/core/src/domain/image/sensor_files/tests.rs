//! The search in layers that are built by hand.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use tar::{Builder, EntryType, Header};

use super::answer::{Obstacle, SensorFiles};
use super::budget::Budget;
use super::search::Search;
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::digest::Digest;

mod archives;
mod copies;
mod layers;
mod limits;
mod links;

const MEDIA_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// Path of the program in the sensor's own layer, where `bin` is a link.
const PROGRAM: &str = "opt/CrowdStrike/rootfs/usr/bin/falcon-entrypoint";

/// An unpacked layer that is being built.
struct Layer(Builder<Vec<u8>>);

impl Layer {
    fn new() -> Self {
        Self(Builder::new(Vec::new()))
    }

    /// The layer that falconutil adds, as far as the search looks at it.
    fn sensor() -> Self {
        Self::new()
            .folder("opt/")
            .folder("opt/CrowdStrike/")
            .link("opt/CrowdStrike/rootfs/bin", "usr/bin")
            .file(PROGRAM, b"program")
    }

    fn file(self, path: &str, content: &[u8]) -> Self {
        self.entry(EntryType::Regular, path, "", content)
    }

    fn folder(self, path: &str) -> Self {
        self.entry(EntryType::Directory, path, "", b"")
    }

    fn link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Symlink, path, target, b"")
    }

    fn hard_link(self, path: &str, target: &str) -> Self {
        self.entry(EntryType::Link, path, target, b"")
    }

    /// Adds an entry whose names fit into its header, and are not changed on their way.
    fn entry(mut self, kind: EntryType, path: &str, link: &str, content: &[u8]) -> Self {
        let mut header = Header::new_ustar();
        header.set_entry_type(kind);
        header.set_size(content.len() as u64);
        let fields = header.as_ustar_mut().expect("it is new");
        fields.name[..path.len()].copy_from_slice(path.as_bytes());
        fields.linkname[..link.len()].copy_from_slice(link.as_bytes());
        header.set_cksum();
        self.0.append(&header, content).expect("a layer");
        self
    }

    fn tar(self) -> Vec<u8> {
        self.0.into_inner().expect("a layer")
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packer = GzEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(bytes).expect("in memory");
    packer.finish().expect("in memory")
}

/// Reads a layer that is packed in some way.
fn read(search: &mut Search, packed: &[u8], tar: &[u8]) -> Result<(), Obstacle> {
    let layer = Descriptor::of(MEDIA_TYPE, packed);
    search.admit(&layer)?;
    search.read(packed, &layer.digest, Digest::of(tar).as_str())
}

/// Searches layers, the topmost first. Also returns the number of layers that were read.
fn search(layers: Vec<Layer>) -> (SensorFiles, usize) {
    let mut search = Search::new(FALCON_ENTRYPOINT);
    let mut count = 0;
    for layer in layers {
        let tar = layer.tar();
        count += 1;
        if let Err(obstacle) = read(&mut search, &gzip(&tar), &tar) {
            return (SensorFiles::Unknown(obstacle), count);
        }
        if let Some(answer) = search.answer() {
            return (answer, count);
        }
    }
    (search.end(), count)
}

/// The path and the number of bytes that are found; none if the file is missing.
fn found(layers: Vec<Layer>) -> Option<(String, u64)> {
    match search(layers).0 {
        SensorFiles::Present(found) => Some((found.path, found.bytes)),
        SensorFiles::Missing(_) => None,
        SensorFiles::Unknown(obstacle) => panic!("{obstacle}"),
    }
}

/// The reason why the file is missing.
fn absence(layers: Vec<Layer>) -> String {
    match search(layers).0 {
        SensorFiles::Missing(absence) => absence.to_string(),
        other => panic!("{other:?}"),
    }
}

#[track_caller]
fn is_present(layers: Vec<Layer>) {
    assert_eq!(found(layers), Some((format!("/{PROGRAM}"), 7)));
}

fn within(budget: Budget) -> Search {
    Search::within(budget, FALCON_ENTRYPOINT)
}
