//! Archives on their way from the engine to a thread that reads them.

use std::io::{self, BufRead, BufReader, Read};

use hyper::body::Bytes;
use tar::{Archive, EntryType};
use tokio::sync::mpsc;

use super::failure::{NotAssembled, ResultError};
use crate::adapters::engine::archive::Download;
use crate::flow::run::context::Run;
use crate::report::event::StepEvents;

/// Bytes that are read at once.
pub(super) const PIECE: usize = 256 * 1024;

/// Pieces that may wait, so that neither side waits for the other.
pub(super) const WAITING: usize = 16;

/// An archive as a reader for a blocking thread.
pub(super) struct DownloadReader {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
    is_complete: bool,
}

impl DownloadReader {
    fn new() -> (mpsc::Sender<Bytes>, Self) {
        let (send, pieces) = mpsc::channel(WAITING);
        let reader = Self {
            pieces,
            rest: Bytes::new(),
            is_complete: false,
        };
        (send, reader)
    }
}

impl Read for DownloadReader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.rest.is_empty() {
            match self.pieces.blocking_recv() {
                // An empty piece is the end; a sender that is gone without one was cut off.
                Some(piece) if piece.is_empty() => self.is_complete = true,
                Some(piece) => self.rest = piece,
                None if self.is_complete => return Ok(0),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
        let taken = self.rest.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&self.rest.split_to(taken));
        Ok(taken)
    }
}

impl Run {
    /// Streams an archive out of the engine to `read`, which runs on a thread of its own.
    pub(super) async fn read_download<T, E>(
        &self,
        mut download: Download,
        events: &StepEvents,
        read: impl FnOnce(DownloadReader) -> Result<T, E> + Send + 'static,
    ) -> Result<T, NotAssembled>
    where
        T: Send + 'static,
        E: Into<NotAssembled> + Send + 'static,
    {
        let engine = self.services.engine()?;
        let (send, reader) = DownloadReader::new();
        let reading = tokio::task::spawn_blocking(move || read(reader).map_err(Into::into));
        let mut passed = 0;
        loop {
            let bytes = engine.next_of(&mut download).await?;
            let is_end = bytes.is_none();
            let bytes = bytes.unwrap_or_default();
            if bytes.is_empty() && !is_end {
                continue;
            }
            passed += bytes.len() as u64;
            events.progress(passed, None);
            // A reader that has failed listens no more, and its own error is the reason.
            if send.send(bytes).await.is_err() || is_end {
                break;
            }
        }
        drop(send);
        match reading.await {
            Ok(read) => read,
            Err(error) => match error.try_into_panic() {
                // A panic of the thread is one of the run, which is guarded.
                Ok(panic) => std::panic::resume_unwind(panic),
                Err(error) => Err(ResultError::Unreadable {
                    why: error.to_string(),
                }
                .into()),
            },
        }
    }
}

/// A file of an exported image.
pub(super) enum Exported<'a> {
    /// A document.
    Json(&'a mut dyn BufRead),
    /// A layer that is packed by gzip.
    Gzip(&'a mut dyn BufRead),
    /// A layer that is not packed, or any other file.
    Plain(&'a mut dyn BufRead),
}

/// Passes each file of an image, as `GET /images/{name}/get` returns it, to `take`.
///
/// Engines differ in how they name layers in an export, and in whether they pack them; so layers are identified by the
/// digests of their contents.
pub(super) fn each_file<E: From<io::Error>>(
    export: impl Read,
    mut take: impl FnMut(&str, Exported<'_>) -> Result<(), E>,
) -> Result<(), E> {
    let mut archive = Archive::new(export);
    for entry in archive.entries()? {
        let entry = entry?;
        if entry.header().entry_type() != EntryType::Regular {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let mut file = BufReader::with_capacity(PIECE, entry);
        let begin = file.fill_buf()?;
        let kind = match begin {
            [] => continue,
            // The mark of a tar, whatever the name of its first file begins with.
            tar if tar.get(257..262) == Some(b"ustar") => Exported::Plain,
            [b'{' | b'[', ..] => Exported::Json,
            [0x1f, 0x8b, ..] => Exported::Gzip,
            _ => Exported::Plain,
        };
        take(&name, kind(&mut file))?;
    }
    // What follows the last entry belongs to the answer too.
    let mut rest = archive.into_inner();
    io::copy(&mut rest, &mut io::sink())?;
    Ok(())
}
