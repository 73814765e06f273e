use std::io;
use std::io::Read;

use hyper::body::Bytes;
use tokio::sync::mpsc;

/// Bytes on their way to a thread that may block. They end with the sender.
pub(super) struct PieceReader {
    pieces: mpsc::Receiver<Bytes>,
    rest: Bytes,
}

impl PieceReader {
    pub(super) fn new(pieces: mpsc::Receiver<Bytes>) -> Self {
        let rest = Bytes::new();
        Self { pieces, rest }
    }
}

impl Read for PieceReader {
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
