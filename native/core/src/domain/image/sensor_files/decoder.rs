//! Unpacks a layer: gzip, zstd, or not packed at all.

use std::io::{self, Cursor, Read};

use flate2::read::MultiGzDecoder;
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
use sha2::Digest as _;

use super::answer::Obstacle;
use crate::domain::reference::digest::Digest;

/// The largest window of zstd, and so the memory that unpacking takes. Builders use 8 MiB, and 32 MiB at their best.
const WINDOW: u64 = 32 << 20;

const ZSTD: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// The unpacked bytes of a layer, counted and hashed on their way.
pub(super) struct Unpacked<'a> {
    inner: Box<dyn Read + 'a>,
    hash: sha2::Sha256,
    /// Bytes that may still come.
    left: u64,
}

impl<'a> Unpacked<'a> {
    /// Begins to unpack; the first bytes show how. More than `limit` bytes are a failure.
    pub(super) fn new(mut packed: impl Read + 'a, limit: u64) -> io::Result<Self> {
        let mut magic = Vec::new();
        packed.by_ref().take(4).read_to_end(&mut magic)?;
        let is_zstd = magic == ZSTD || is_skippable(&magic);
        let is_gzip = magic.starts_with(&[0x1f, 0x8b]);
        let packed = Cursor::new(magic).chain(packed);
        let inner: Box<dyn Read + 'a> = if is_gzip {
            Box::new(MultiGzDecoder::new(packed))
        } else if is_zstd {
            Box::new(Zstd::new(packed))
        } else {
            Box::new(packed)
        };
        Ok(Self {
            inner,
            hash: sha2::Sha256::new(),
            left: limit,
        })
    }

    /// Reads to the end; returns the digest of all bytes, and the bytes that were left of the limit.
    pub(super) fn finish(mut self) -> io::Result<(Digest, u64)> {
        io::copy(&mut self, &mut io::sink())?;
        Ok((Digest::of_hash(&self.hash.finalize()), self.left))
    }
}

impl Read for Unpacked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        let left = self.left.checked_sub(read as u64);
        self.left = left.ok_or_else(|| io::Error::other(Obstacle::UnpackedLimit))?;
        self.hash.update(&buffer[..read]);
        Ok(read)
    }
}

/// Unpacks zstd. A stream has several frames, and some of them hold no content
/// (<https://www.rfc-editor.org/rfc/rfc8878#section-3>).
struct Zstd<R> {
    source: R,
    decoder: FrameDecoder,
}

impl<R: Read> Zstd<R> {
    fn new(source: R) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(WINDOW);
        Self { source, decoder }
    }

    /// Begins the next frame with content; returns false if there is none.
    fn next_frame(&mut self) -> io::Result<bool> {
        loop {
            let mut magic = Vec::new();
            self.source.by_ref().take(4).read_to_end(&mut magic)?;
            if magic.is_empty() {
                return Ok(false);
            }
            if !is_skippable(&magic) {
                let frame = Cursor::new(magic).chain(&mut self.source);
                self.decoder.reset(frame).map_err(io::Error::other)?;
                return Ok(true);
            }
            let mut length = [0; 4];
            self.source.read_exact(&mut length)?;
            let length = u64::from(u32::from_le_bytes(length));
            let skipped = io::copy(&mut self.source.by_ref().take(length), &mut io::sink())?;
            if skipped < length {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
        }
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.decoder.can_collect() == 0 {
            if self.decoder.is_finished() {
                if !self.next_frame()? {
                    return Ok(0);
                }
            } else {
                let one = BlockDecodingStrategy::UptoBlocks(1);
                let decoded = self.decoder.decode_blocks(&mut self.source, one);
                decoded.map_err(io::Error::other)?;
            }
        }
        self.decoder.read(buffer)
    }
}

fn is_skippable(magic: &[u8]) -> bool {
    matches!(magic, [0x50..=0x5f, 0x2a, 0x4d, 0x18])
}
