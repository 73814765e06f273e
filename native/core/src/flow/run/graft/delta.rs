//! The layer that falconutil added, extracted from an exported image.
//!
//! The export is read once, from the engine to the spool file, by two threads: one unpacks, checks
//! and hashes, the other packs. It is never in memory and on the disk only as it is uploaded.

use std::fs::File;
use std::io::{BufRead, BufReader, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::{io, thread};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use hyper::body::Bytes;
use sha2::Digest as _;
use tar::{Archive, EntryType};
use tokio::sync::mpsc;

use crate::domain::graft::layer::{Unwritten, rewrite};
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::packed_layer::PackedLayer;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Bytes that one thread passes to the other at once.
const PIECE: usize = 256 * 1024;

/// Pieces that may wait, so that neither thread waits for the other.
const WAITING: usize = 16;

/// Small enough for a layer that is uploaded once per sensor, in half the time of the usual level.
const LEVEL: Compression = Compression::new(4);

/// A layer that cannot be extracted.
#[derive(Debug, thiserror::Error)]
pub(crate) enum DeltaError {
    /// It cannot be grafted.
    #[error(transparent)]
    Obstacle(Obstacle),
    /// It cannot be written to the agent's disk.
    #[error("Cannot write the layer to `{path}`", path = path.display())]
    Spool {
        /// The file.
        path: PathBuf,
        /// The error of the disk.
        source: io::Error,
    },
}

impl Explain for DeltaError {
    fn code(&self) -> Code {
        match self {
            Self::Obstacle(_) => Code::FalconutilResultUnexpected,
            Self::Spool { .. } => Code::TaskFolderNotWritable,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Obstacle(_) => Some("Set `strategy: full`".to_owned()),
            Self::Spool { .. } => Some(
                "Make room on the agent's disk, and let the agent's user write to its temporary folder"
                    .to_owned(),
            ),
        }
    }
}

/// Extracts the layer `diff_id` from an image as `GET /images/{name}/get` returns it, and writes it to
/// `spool` as it is uploaded.
///
/// Engines differ in how they name layers in an export, and in whether they pack them; so the layer
/// is identified by its unpacked digest. Blocks.
pub(crate) fn take(
    export: impl Read,
    diff_id: &str,
    spool: &Path,
) -> Result<PackedLayer, DeltaError> {
    let unreadable = |error: io::Error| Obstacle::Unreadable(error.to_string());
    let mut archive = Archive::new(export);
    let mut obstacle = None;
    let entries = archive.entries().map_err(unreadable);
    for entry in entries.map_err(DeltaError::Obstacle)? {
        let entry = match entry {
            Ok(entry) if entry.header().entry_type() == EntryType::Regular => entry,
            Ok(_) => continue,
            Err(error) => return Err(DeltaError::Obstacle(unreadable(error))),
        };
        match candidate(BufReader::with_capacity(PIECE, entry), spool) {
            Ok(Some((found, delta))) if found.as_str() == diff_id => return Ok(delta),
            Ok(_) => {}
            // It may be another layer's; if it is this one's, none will follow.
            Err(DeltaError::Obstacle(found)) => obstacle = Some(found),
            Err(error @ DeltaError::Spool { .. }) => return Err(error),
        }
    }
    Err(DeltaError::Obstacle(obstacle.unwrap_or_else(|| {
        Obstacle::LayerMissing {
            diff_id: diff_id.to_owned(),
        }
    })))
}

/// A file of the export as a layer; none if it cannot be one.
fn candidate(
    mut file: impl BufRead,
    spool: &Path,
) -> Result<Option<(Digest, PackedLayer)>, DeltaError> {
    let begin = file.fill_buf().unwrap_or_default();
    match begin {
        [] | [b'{' | b'[', ..] => Ok(None),
        [0x1f, 0x8b, ..] => pack(MultiGzDecoder::new(file), spool).map(Some),
        _ => pack(file, spool).map(Some),
    }
}

/// Writes a layer anew and packs it; also returns the digest of the old layer.
fn pack(layer: impl Read, spool: &Path) -> Result<(Digest, PackedLayer), DeltaError> {
    let (send, receive) = sync_channel(WAITING);
    let mut before = Hashing::new(layer);
    let mut after = Hashing::new(BufWriter::with_capacity(PIECE, Pieces(send)));
    let (packed, rewritten) = thread::scope(|scope| {
        let packing = scope.spawn(move || compress(&receive, spool));
        let rewritten = rewrite(&mut before, &mut after)
            // The bytes after the last entry belong to the digest too.
            .and_then(|()| Ok(io::copy(&mut before, &mut io::sink())?));
        let diff_id = after.digest();
        // The end of the pieces is the end of the packing.
        drop(after);
        let packed = packing
            .join()
            .unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        (packed, rewritten.map(|_| diff_id))
    });
    let (digest, size) = packed.map_err(|source| DeltaError::Spool {
        path: spool.to_owned(),
        source,
    })?;
    let diff_id = rewritten.map_err(|error| {
        DeltaError::Obstacle(match error {
            Unwritten::Obstacle(obstacle) => obstacle,
            Unwritten::Io(error) => Obstacle::Unreadable(error.to_string()),
        })
    })?;
    let delta = PackedLayer {
        diff_id,
        digest,
        size,
    };
    Ok((before.digest(), delta))
}

/// Packs the pieces, with a header that names neither time nor system.
fn compress(pieces: &Receiver<Vec<u8>>, spool: &Path) -> io::Result<(Digest, u64)> {
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(spool)?;
    let file = Hashing::new(BufWriter::with_capacity(PIECE, file));
    let mut packer = GzBuilder::new()
        .mtime(0)
        .operating_system(255)
        .write(file, LEVEL);
    for piece in pieces {
        packer.write_all(&piece)?;
    }
    let mut file = packer.finish()?;
    file.flush()?;
    Ok((file.digest(), file.bytes))
}

/// Hashes and counts the bytes that pass.
struct Hashing<T> {
    inner: T,
    hash: sha2::Sha256,
    bytes: u64,
}

impl<T> Hashing<T> {
    fn new(inner: T) -> Self {
        Self {
            inner,
            hash: sha2::Sha256::new(),
            bytes: 0,
        }
    }

    fn digest(&self) -> Digest {
        Digest::of_hash(&self.hash.clone().finalize())
    }

    fn pass(&mut self, bytes: &[u8]) {
        self.hash.update(bytes);
        self.bytes += bytes.len() as u64;
    }
}

impl<T: Read> Read for Hashing<T> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.pass(&buffer[..read]);
        Ok(read)
    }
}

impl<T: Write> Write for Hashing<T> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.pass(&bytes[..written]);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// An export on its way from the engine to the thread that reads it.
pub(crate) struct ExportReader {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl ExportReader {
    /// Returns the sender and the reader of an export. Dropping the sender ends it.
    pub(crate) fn new() -> (mpsc::Sender<Bytes>, Self) {
        let (send, pieces) = mpsc::channel(WAITING);
        let rest = Bytes::new();
        (send, Self { pieces, rest })
    }
}

impl Read for ExportReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                Some(piece) => self.rest = piece,
                None => return Ok(0),
            }
        }
        let taken = self.rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.rest.split_to(taken));
        Ok(taken)
    }
}

/// The way to the packing thread.
struct Pieces(SyncSender<Vec<u8>>);

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
        self.0.send(bytes.to_owned()).map_err(gone)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
