//! The copy of a file beside the search for it.

use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use super::{Layer, gzip, read};
use crate::domain::image::sensor_files::answer::SensorFiles;
use crate::domain::image::sensor_files::file_copy::{CopiedFile, FileCopy, NotCopied};
use crate::domain::image::sensor_files::search::Search;
use crate::domain::reference::digest::Digest;

const TOOL: &str = "/usr/bin/tool";

/// Memory that a copy is written to.
#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("no panic").write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A disk without space.
struct Full;

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::StorageFull.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Searches layers, the topmost first, and copies on the way.
fn copy_to(
    to: Box<dyn Write + Send>,
    layers: Vec<Layer>,
) -> (SensorFiles, Result<CopiedFile, NotCopied>) {
    let copy = FileCopy::new(TOOL, 10, 4, to).expect("a path");
    let mut search = Search::new(TOOL).copying(copy);
    for layer in layers {
        let tar = layer.tar();
        read(&mut search, &gzip(&tar), &tar).expect("a layer");
        if search.answer().is_some() {
            break;
        }
    }
    let answer = search.end();
    let copy = search.into_copy().expect("one is wanted");
    (answer, copy.finish())
}

fn copied(layers: Vec<Layer>) -> (SensorFiles, Result<CopiedFile, NotCopied>, Vec<u8>) {
    let memory = Memory::default();
    let (answer, copy) = copy_to(Box::new(memory.clone()), layers);
    let bytes = memory.0.lock().expect("no panic").clone();
    (answer, copy, bytes)
}

#[test]
fn the_file_is_copied_out_of_the_topmost_layer_that_has_it() {
    let layers = vec![
        Layer::new().file("app", b"an app"),
        Layer::new()
            .file("usr/bin/other", b"no")
            .file("./usr/bin/tool", b"program"),
        Layer::new().file("usr/bin/tool", b"former"),
    ];
    let (answer, copy, bytes) = copied(layers);
    assert!(matches!(answer, SensorFiles::Present(found) if found.path == TOOL));
    let file = CopiedFile {
        head: b"prog".to_vec(),
        bytes: 7,
        digest: Digest::of(b"program"),
    };
    assert_eq!(copy, Ok(file));
    assert_eq!(bytes, b"program");
}

#[test]
fn a_removed_file_is_no_answer() {
    let layers = vec![
        Layer::new().file("usr/bin/.wh.tool", b""),
        Layer::new().file("usr/bin/tool", b"program"),
    ];
    let (answer, copy, _) = copied(layers);
    assert!(matches!(answer, SensorFiles::Missing(_)), "{answer:?}");
    assert_eq!(copy, Err(NotCopied::NoEntry));
}

#[test]
fn a_link_leads_to_a_file_that_is_not_copied() {
    for (layer, path) in [
        (
            Layer::new()
                .file("opt/futil", b"program")
                .link("usr/bin/tool", "/opt/futil"),
            "/opt/futil",
        ),
        (
            Layer::new()
                .file("opt/futil", b"program")
                .hard_link("usr/bin/tool", "opt/futil"),
            TOOL,
        ),
        (
            Layer::new()
                .link("usr/bin", "../opt")
                .file("opt/tool", b"program"),
            "/opt/tool",
        ),
    ] {
        let (answer, copy, bytes) = copied(vec![layer]);
        assert!(matches!(answer, SensorFiles::Present(found) if found.path == path));
        assert_eq!(copy, Err(NotCopied::NoEntry));
        assert!(bytes.is_empty());
    }
}

#[test]
fn what_is_not_a_whole_copy_is_none() {
    let twice = Layer::new()
        .file("usr/bin/tool", b"first")
        .file("usr/bin/tool", b"second");
    assert_eq!(copied(vec![twice]).1, Err(NotCopied::Twice));
    let large = Layer::new().file("usr/bin/tool", b"eleven byte");
    let too_large = NotCopied::TooLarge {
        bytes: 11,
        limit: 10,
    };
    assert_eq!(copied(vec![large]).1, Err(too_large));
    let tool = Layer::new().file("usr/bin/tool", b"program");
    let (answer, copy) = copy_to(Box::new(Full), vec![tool]);
    assert!(matches!(answer, SensorFiles::Present(_)), "{answer:?}");
    assert!(matches!(copy, Err(NotCopied::Write(_))), "{copy:?}");
}
