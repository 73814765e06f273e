//! The content of one file, copied while the layers are searched.

use std::fmt;
use std::io::{self, Read, Write};

use super::answer::Obstacle;
use super::layer_tree::names;
use super::tar_entries::{Kind, TarEntry};
use super::walk::Name;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::hashing::Hashing;

/// Copy of the file at a path. It says nothing of the image: only the search shows whether the image has this file there.
pub struct FileCopy {
    path: Vec<Name>,
    limit: u64,
    /// The first bytes that are kept.
    head: Head,
    to: Hashing<Box<dyn Write + Send>>,
    state: Option<Result<(), NotCopied>>,
}

/// The first bytes of a file, as many as are wanted.
struct Head {
    bytes: Vec<u8>,
    wanted: usize,
}

/// A file that was copied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CopiedFile {
    /// The first bytes.
    pub head: Vec<u8>,
    /// Number of all bytes.
    pub bytes: u64,
    /// Digest of the content.
    pub digest: Digest,
}

/// Reason that there is no copy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotCopied {
    /// No layer that was read has a regular file by exactly this path.
    #[error("its layer has no entry of its own for it")]
    NoEntry,
    /// More than one entry has the path.
    #[error("its layers have it more than once")]
    Twice,
    /// The file is too large.
    #[error("it has {bytes} bytes, and {limit} are the most that are copied")]
    TooLarge {
        /// Its bytes.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// The copy cannot be written.
    #[error("its copy cannot be written: {0}")]
    Write(String),
}

impl FileCopy {
    /// A copy of the file at an absolute path without links, of at most `limit` bytes; `head` of them are kept in memory.
    ///
    /// # Errors
    /// The path cannot be searched for.
    pub fn new(
        path: &str,
        limit: u64,
        head: usize,
        to: Box<dyn Write + Send>,
    ) -> Result<Self, Obstacle> {
        Ok(Self {
            path: names(path.as_bytes())?,
            limit,
            head: Head {
                bytes: Vec::new(),
                wanted: head,
            },
            to: Hashing::new(to),
            state: None,
        })
    }

    /// Copies the content of an entry that is the file.
    pub(super) fn take(
        &mut self,
        entry: &TarEntry,
        content: &mut dyn Read,
    ) -> Result<(), Obstacle> {
        if entry.kind != Kind::File || names(&entry.path)? != self.path {
            return Ok(());
        }
        self.state = Some(if self.state.is_some() {
            Err(NotCopied::Twice)
        } else if entry.size > self.limit {
            Err(NotCopied::TooLarge {
                bytes: entry.size,
                limit: self.limit,
            })
        } else {
            self.copy(content)?
        });
        Ok(())
    }

    /// Copies the content; bytes that cannot be read are the layer's obstacle.
    fn copy(&mut self, content: &mut dyn Read) -> io::Result<Result<(), NotCopied>> {
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = content.read(&mut buffer)?;
            if read == 0 {
                break;
            }
            let piece = &buffer[..read];
            self.head.take(piece);
            if let Err(error) = self.to.write_all(piece) {
                return Ok(Err(NotCopied::Write(error.to_string())));
            }
        }
        let flushed = self.to.flush();
        Ok(flushed.map_err(|error| NotCopied::Write(error.to_string())))
    }

    /// Ends the copy.
    ///
    /// # Errors
    /// The reason that there is none.
    pub fn finish(self) -> Result<CopiedFile, NotCopied> {
        self.state.unwrap_or(Err(NotCopied::NoEntry))?;
        Ok(CopiedFile {
            bytes: self.to.bytes,
            digest: self.to.digest(),
            head: self.head.bytes,
        })
    }
}

impl Head {
    fn take(&mut self, piece: &[u8]) {
        let missing = self.wanted.saturating_sub(self.bytes.len());
        self.bytes
            .extend_from_slice(&piece[..missing.min(piece.len())]);
    }
}

impl fmt::Debug for FileCopy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileCopy")
            .field("path", &self.path)
            .field("state", &self.state)
            .finish_non_exhaustive()
    }
}
