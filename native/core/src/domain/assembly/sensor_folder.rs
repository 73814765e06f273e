//! The sensor's folder, read from an archive and written anew, so that the same files result in the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tar::{Archive, Builder, Entry, EntryType, Header};

use super::links::{joined, resolve};

/// Entries that a folder may have; the sensor has some thousands.
const ENTRIES: usize = 100_000;

/// Prefix that marks a name of a lower layer as removed
/// (<https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>).
const WHITEOUT: &[u8] = b".wh.";

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

/// A folder of an image: its entries by their paths, and the positions of their contents in the archive.
#[derive(Debug)]
pub struct SensorFolder {
    path: Vec<u8>,
    entries: BTreeMap<Vec<u8>, Item>,
}

/// One entry, as far as it describes the file.
#[derive(Clone, Debug)]
struct Item {
    kind: Kind,
    mode: u32,
    uid: u64,
    gid: u64,
    records: Vec<(String, Vec<u8>)>,
}

#[derive(Clone, Debug)]
enum Kind {
    File { at: u64, size: u64 },
    Folder,
    SymbolicLink(Vec<u8>),
    HardLink(Vec<u8>),
    Pipe,
}

impl SensorFolder {
    /// Reads the archive of a folder, in which the entries' paths begin with the folder's own name.
    ///
    /// `path` is the folder's path in the image, such as `/opt/CrowdStrike`.
    ///
    /// # Errors
    /// An archive that cannot be read, and an entry that is not within the folder, is there twice or removes files.
    pub fn read<R: Read + Seek>(path: &str, archive: R) -> Result<Self, FolderError> {
        let path = path.trim_matches('/').as_bytes().to_vec();
        let parent = path.iter().rposition(|byte| *byte == b'/');
        let above = parent.map_or(&[][..], |end| &path[..end]).to_vec();
        let mut folder = Self {
            path,
            entries: BTreeMap::new(),
        };
        let mut archive = Archive::new(archive);
        for entry in archive.entries_with_seek()? {
            let mut entry = entry?;
            let path = joined(&above, bare(&entry.path_bytes()));
            folder.refuse_elsewhere(&path)?;
            let item = item(&mut entry, &above)?;
            if folder.entries.len() == ENTRIES {
                let why = format!("the sensor's folder has more than {ENTRIES} entries");
                return Err(FolderError::Unusable(why));
            }
            if folder.entries.insert(path.clone(), item).is_some() {
                return Err(unusable(&path, "is in the archive twice"));
            }
        }
        folder.order_hard_links()?;
        Ok(folder)
    }

    /// Checks that a path leads to a file that is not empty, and follows links as a program inside the image would.
    ///
    /// # Errors
    /// A sentence that names the part that is not there, or the file's fault.
    pub fn require_file(&self, within: &str) -> Result<(), String> {
        let start = joined(&self.path, within.as_bytes());
        let shown = format!("/{}", String::from_utf8_lossy(&start));
        let found = resolve(&start, |path| {
            let item = self.entries.get(path);
            let is_above = self.path.starts_with(path) || path.is_empty();
            let link = item.and_then(|item| match &item.kind {
                Kind::SymbolicLink(target) => Some(&target[..]),
                _ => None,
            });
            (item.is_some() || is_above).then_some(link)
        })
        .map_err(|why| format!("`{shown}` {why}"))?;
        let item = self.entries.get(&found).map(|item| &item.kind);
        let item = match item {
            Some(Kind::HardLink(target)) => self.entries.get(target).map(|item| &item.kind),
            other => other,
        };
        match item {
            Some(Kind::File { size: 1.., .. }) => Ok(()),
            Some(Kind::File { .. }) => Err(format!("`{shown}` is an empty file")),
            _ => Err(format!("`{shown}` is not a file")),
        }
    }

    /// Writes the folder as a layer: in the order of the paths, without times and the names of users.
    ///
    /// The folder above is left out, since an entry for it would give the source's another mode and owner.
    ///
    /// # Errors
    /// An archive that is not the one that was read, or cannot be read, and a destination that cannot be written.
    pub fn write<R: Read + Seek>(&self, archive: &mut R, out: impl Write) -> io::Result<()> {
        let mut builder = Builder::new(out);
        for (path, item) in &self.entries {
            let mut header = item.header();
            let link = match &item.kind {
                Kind::SymbolicLink(target) | Kind::HardLink(target) => Some(target),
                Kind::File { .. } | Kind::Folder | Kind::Pipe => None,
            };
            let mut name = path.clone();
            if matches!(item.kind, Kind::Folder) {
                name.push(b'/');
            }
            let mut records = item.records.clone();
            records.extend(name_fields(&mut header, &name, link)?);
            header.set_cksum();
            // Go's engines write them in the order of a map, so only sorting makes them the same each time.
            records.sort();
            let records = records.iter();
            builder
                .append_pax_extensions(records.map(|(key, value)| (key.as_str(), &value[..])))?;
            match item.kind {
                Kind::File { at, size } => {
                    archive.seek(SeekFrom::Start(at))?;
                    builder.append(&header, archive.take(size))?;
                }
                _ => builder.append(&header, io::empty())?,
            }
        }
        builder.into_inner()?.flush()
    }

    fn refuse_elsewhere(&self, path: &[u8]) -> Result<(), FolderError> {
        let rest = path.strip_prefix(&self.path[..]);
        let is_within = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"));
        let mut names = path.split(|byte| *byte == b'/');
        let is_plain =
            names.all(|name| !matches!(name, b"" | b"." | b"..") && !name.starts_with(WHITEOUT));
        if is_within && is_plain {
            return Ok(());
        }
        Err(unusable(path, "is not within the sensor's folder"))
    }

    /// Makes the first path of each hard-linked file the file, and the others links to it.
    fn order_hard_links(&mut self) -> Result<(), FolderError> {
        let links: Vec<(Vec<u8>, Vec<u8>)> = self
            .entries
            .iter()
            .filter_map(|(path, item)| match &item.kind {
                Kind::HardLink(target) => Some((path.clone(), target.clone())),
                _ => None,
            })
            .collect();
        // Paths come in order, so an earlier link may have taken the target's place.
        let mut first: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for (path, target) in links {
            let file = first.get(&target).unwrap_or(&target).clone();
            let Some(item) = self.entries.get(&file).cloned() else {
                return Err(unusable(&path, "is a link to a file that is not there"));
            };
            if !matches!(item.kind, Kind::File { .. }) {
                return Err(unusable(&path, "is a link to what is not a file"));
            }
            let (file, link) = if path < file {
                first.insert(target, path.clone());
                (path, file)
            } else {
                (file, path)
            };
            // What describes the file stands with the file alone.
            let linked = Item {
                kind: Kind::HardLink(file.clone()),
                records: Vec::new(),
                ..item.clone()
            };
            self.entries.insert(file, item);
            self.entries.insert(link, linked);
        }
        Ok(())
    }
}

impl Item {
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

fn item<R: Read>(entry: &mut Entry<'_, R>, above: &[u8]) -> Result<Item, FolderError> {
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
        let record = record?;
        let key = record.key().map_err(io::Error::other)?;
        if key.starts_with(LASTING_RECORD) {
            records.push((key.to_owned(), record.value_bytes().to_owned()));
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

/// Writes path and link into a header, and returns the records for those that are too long for it.
fn name_fields(
    header: &mut Header,
    path: &[u8],
    link: Option<&Vec<u8>>,
) -> io::Result<Vec<(String, Vec<u8>)>> {
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
fn bare(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.strip_suffix(b"/").unwrap_or(path)
}

fn unusable(path: &[u8], why: &str) -> FolderError {
    FolderError::Unusable(format!("`{}` {why}", String::from_utf8_lossy(path)))
}
