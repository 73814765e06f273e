//! Layers as they are uploaded: packed, hashed, and on the disk only.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

use flate2::{Compression, GzBuilder};

use super::export::{PIECE, WAITING};
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::hashing::Hashing;

/// Small enough for a layer that is uploaded once per sensor, in half the time of the usual level.
const LEVEL: Compression = Compression::new(4);

/// An end of the packing without a layer.
pub(super) enum NotPacked<E> {
    /// The layer cannot be read.
    Layer(E),
    /// The file cannot be written.
    File(io::Error),
}

/// Packs what `write` writes to a file: one thread writes and hashes, the other packs. Blocks.
pub(super) fn pack<E: From<io::Error> + Send>(
    to: &Path,
    write: impl FnOnce(&mut dyn Write) -> Result<(), E>,
) -> Result<PackedLayer, NotPacked<E>> {
    let (send, receive) = sync_channel(WAITING);
    let mut layer = Hashing::new(BufWriter::with_capacity(PIECE, Pieces(send)));
    let (packed, written) = thread::scope(|scope| {
        let packing = scope.spawn(move || compress(&receive, to));
        let written = write(&mut layer).and_then(|()| Ok(layer.flush()?));
        let diff_id = layer.digest();
        // The end of the pieces is the end of the packing.
        drop(layer);
        let packed = packing
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the packing panicked")));
        (packed, written.map(|()| diff_id))
    });
    // A failed packing breaks the pipe that the writer uses, so its reason comes first.
    let (digest, size) = packed.map_err(NotPacked::File)?;
    let diff_id = written.map_err(NotPacked::Layer)?;
    Ok(PackedLayer {
        diff_id,
        digest,
        size,
    })
}

/// Packs the pieces, with a header that names neither time nor system.
fn compress(pieces: &Receiver<Vec<u8>>, to: &Path) -> io::Result<(Digest, u64)> {
    let file = Hashing::new(BufWriter::with_capacity(PIECE, create(to)?));
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

/// Creates a file that its owner alone can read.
pub(super) fn create(path: &Path) -> io::Result<File> {
    File::options()
        .read(true)
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(path)
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
