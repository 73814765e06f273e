//! One entry of the sensor's folder.

use std::io::{self, Read};

use tar::{Entry, EntryType, Header, PaxExtension};

use super::links::joined;

/// The records of a pax header that describe the file; all others describe the time and the person of its packing.
const LASTING_RECORD: &str = "SCHILY.xattr.";

/// Bytes that a name may have in a header of its own.
const NAME_LENGTH: usize = 100;

/// Reason that a folder cannot be made a layer.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// An entry does not fit into the folder, or is of no known kind.
    #[error("{0}")]
    Unusable(String),
    /// The archive cannot be read.
    #[error("the archive of the sensor's folder cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Key and value of a record in a pax header.
pub(super) type Record = (String, Vec<u8>);

/// One entry, as far as it describes the file.
#[derive(Clone, Debug)]
pub(super) struct Item {
    pub(super) kind: Kind,
    pub(super) mode: u32,
    pub(super) uid: u64,
    pub(super) gid: u64,
    pub(super) records: Vec<Record>,
}

#[derive(Clone, Debug)]
pub(super) enum Kind {
    File { at: u64, size: u64 },
    Folder,
    SymbolicLink(Vec<u8>),
    HardLink(Vec<u8>),
    Pipe,
}

impl Item {
    /// Returns the header of the entry at a path as a layer of ours has it, and the records in front of it.
    pub(super) fn written(&self, path: &[u8]) -> io::Result<(Header, Vec<Record>)> {
        let mut header = self.header();
        let link = match &self.kind {
            Kind::SymbolicLink(target) | Kind::HardLink(target) => Some(target),
            Kind::File { .. } | Kind::Folder | Kind::Pipe => None,
        };
        let mut name = path.to_vec();
        if matches!(self.kind, Kind::Folder) {
            name.push(b'/');
        }
        let mut records = self.records.clone();
        records.extend(name_fields(&mut header, &name, link)?);
        header.set_cksum();
        // Go's engines write them in the order of a map, so only sorting makes them the same each time.
        records.sort();
        Ok((header, records))
    }

    /// A header that holds everything but names and checksum.
    fn header(&self) -> Header {
        let mut header = Header::new_ustar();
        header.set_entry_type(match self.kind {
            Kind::File { .. } => EntryType::Regular,
            Kind::Folder => EntryType::Directory,
            Kind::SymbolicLink(_) => EntryType::Symlink,
            Kind::HardLink(_) => EntryType::Link,
            Kind::Pipe => EntryType::Fifo,
        });
        header.set_mode(self.mode);
        header.set_uid(self.uid);
        header.set_gid(self.gid);
        header.set_size(match self.kind {
            Kind::File { size, .. } => size,
            _ => 0,
        });
        header
    }
}

/// Reads one entry, whose hard links are relative to the folder `above`.
pub(super) fn item<R: Read>(entry: &mut Entry<'_, R>, above: &[u8]) -> Result<Item, FolderError> {
    let path = entry.path_bytes().into_owned();
    let link = || {
        let link = entry.link_name_bytes();
        link.ok_or_else(|| unusable(&path, "is a link to nothing"))
    };
    let kind = match entry.header().entry_type() {
        EntryType::Regular => Kind::File {
            at: entry.raw_file_position(),
            size: entry.size(),
        },
        EntryType::Directory => Kind::Folder,
        EntryType::Symlink => Kind::SymbolicLink(link()?.into_owned()),
        EntryType::Link => Kind::HardLink(joined(above, bare(&link()?))),
        EntryType::Fifo => Kind::Pipe,
        other => {
            let why = format!("is of the unusable kind {:#x}", other.as_byte());
            return Err(unusable(&path, &why));
        }
    };
    let mut records = Vec::new();
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let (key, value) = record_of(&record?)?;
        if key.starts_with(LASTING_RECORD) {
            records.push((key, value));
        }
    }
    let header = entry.header();
    Ok(Item {
        kind,
        mode: header.mode()? & 0o7777,
        uid: header.uid()?,
        gid: header.gid()?,
        records,
    })
}

fn record_of(record: &PaxExtension<'_>) -> io::Result<Record> {
    let key = record.key().map_err(io::Error::other)?;
    Ok((key.to_owned(), record.value_bytes().to_owned()))
}

/// Returns all records in front of an entry, in their order.
pub(super) fn all_records<R: Read>(entry: &mut Entry<'_, R>) -> io::Result<Vec<Record>> {
    let records = entry.pax_extensions()?.into_iter().flatten();
    records.map(|record| record_of(&record?)).collect()
}

/// Writes path and link into a header, and returns the records for those that are too long for it.
fn name_fields(
    header: &mut Header,
    path: &[u8],
    link: Option<&Vec<u8>>,
) -> io::Result<Vec<Record>> {
    let fields = header.as_ustar_mut();
    let fields = fields.ok_or_else(|| io::Error::other("a header of another format"))?;
    let mut records = Vec::new();
    for (key, field, text) in [
        ("path", &mut fields.name, Some(path)),
        ("linkpath", &mut fields.linkname, link.map(|link| &link[..])),
    ] {
        let Some(text) = text else { continue };
        let shown = text.len().min(NAME_LENGTH);
        field[..shown].copy_from_slice(&text[..shown]);
        if text.len() > NAME_LENGTH {
            records.push((key.to_owned(), text.to_owned()));
        }
    }
    Ok(records)
}

/// A path without the slashes and the dot around it.
pub(super) fn bare(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.strip_suffix(b"/").unwrap_or(path)
}

pub(super) fn unusable(path: &[u8], why: &str) -> FolderError {
    FolderError::Unusable(format!("`{}` {why}", String::from_utf8_lossy(path)))
}
