//! An archive whose headers are bounded before a reader of archives sees them: such a reader keeps an extension of any
//! length in memory.

use std::io::{self, Read};

use tar::{EntryType, Header};

const BLOCK: usize = 512;

/// Bytes that the records of one entry may have; those of the sensor's files have some hundred.
const RECORDS: u64 = 64 * 1024;

/// Bytes that the records of all entries may have together.
const ALL_RECORDS: u64 = 16 * 1024 * 1024;

/// Passes an archive on as long as it has no extension but pax records of limited length, none of which is a size: a
/// size would move the entries behind it.
pub(super) struct BoundedArchive<R> {
    inner: R,
    header: Vec<u8>,
    /// Bytes of the entry that are still to come, its padding among them.
    body: u64,
    /// The records of an entry, as far as they have come; none within another kind of entry.
    records: Option<Vec<u8>>,
    all_records: u64,
}

impl<R> BoundedArchive<R> {
    pub(super) fn new(inner: R) -> Self {
        Self {
            inner,
            header: Vec::with_capacity(BLOCK),
            body: 0,
            records: None,
            all_records: 0,
        }
    }

    pub(super) fn into_inner(self) -> R {
        self.inner
    }

    fn follow(&mut self, mut bytes: &[u8]) -> Result<(), &'static str> {
        while !bytes.is_empty() {
            let (taken, rest) = if self.body > 0 {
                let length = usize::try_from(self.body).unwrap_or(usize::MAX);
                let (taken, rest) = bytes.split_at(bytes.len().min(length));
                self.body -= taken.len() as u64;
                if let Some(records) = &mut self.records {
                    records.extend_from_slice(taken);
                }
                (taken, rest)
            } else {
                self.end_records()?;
                let (taken, rest) = bytes.split_at(bytes.len().min(BLOCK - self.header.len()));
                self.header.extend_from_slice(taken);
                if self.header.len() == BLOCK {
                    self.begin_entry()?;
                }
                (taken, rest)
            };
            debug_assert!(!taken.is_empty());
            bytes = rest;
        }
        Ok(())
    }

    fn begin_entry(&mut self) -> Result<(), &'static str> {
        let block = std::mem::take(&mut self.header);
        if block.iter().all(|byte| *byte == 0) {
            return Ok(());
        }
        let header = Header::from_byte_slice(&block);
        let size = header.entry_size();
        let size = size.map_err(|_| "has an entry whose size cannot be read")?;
        match header.entry_type() {
            EntryType::XHeader => {
                self.all_records = self.all_records.saturating_add(size);
                if size > RECORDS || self.all_records > ALL_RECORDS {
                    return Err("has more records than the sensor's files have");
                }
                self.records = Some(Vec::new());
            }
            EntryType::GNULongName
            | EntryType::GNULongLink
            | EntryType::GNUSparse
            | EntryType::XGlobalHeader => {
                return Err("has an extension that this task never writes");
            }
            _ => {}
        }
        let blocks = size.div_ceil(BLOCK as u64);
        self.body = blocks.saturating_mul(BLOCK as u64);
        Ok(())
    }

    fn end_records(&mut self) -> Result<(), &'static str> {
        let Some(records) = self.records.take() else {
            return Ok(());
        };
        if records.windows(6).any(|window| window == b" size=") {
            return Err("has a size among its records");
        }
        Ok(())
    }
}

impl<R: Read> Read for BoundedArchive<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.inner.read(buffer)?;
        self.follow(&buffer[..read])
            .map_err(|why| io::Error::new(io::ErrorKind::InvalidData, format!("it {why}")))?;
        Ok(read)
    }
}
