//! The sensor's folder, read from an archive and written anew, so that the same files result in the same bytes.

use std::collections::BTreeMap;
use std::io::{self, Read, Seek, SeekFrom, Write};

use tar::{Archive, Builder};

use super::folder_item::{FolderError, Item, Kind, bare, item, unusable};
use super::links::{joined, resolve};

/// Entries that a folder may have; the sensor has some thousands.
const ENTRIES: usize = 100_000;

/// Prefix that marks a name of a lower layer as removed
/// (<https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>).
const WHITEOUT: &[u8] = b".wh.";

/// A folder of an image: its entries by their paths, and the positions of their contents in the archive.
#[derive(Debug)]
pub struct SensorFolder {
    path: Vec<u8>,
    entries: BTreeMap<Vec<u8>, Item>,
}

impl SensorFolder {
    /// A folder at a path of the image, without entries.
    pub(super) fn empty(path: &str) -> Self {
        Self {
            path: path.trim_matches('/').as_bytes().to_vec(),
            entries: BTreeMap::new(),
        }
    }

    /// Adds an entry by its path in the image.
    ///
    /// # Errors
    /// One that is not within the folder, is there twice, or is one too many.
    pub(super) fn insert(&mut self, path: &[u8], item: Item) -> Result<(), FolderError> {
        self.refuse_elsewhere(path)?;
        if self.entries.len() == ENTRIES {
            let why = format!("the sensor's folder has more than {ENTRIES} entries");
            return Err(FolderError::Unusable(why));
        }
        match self.entries.insert(path.to_vec(), item) {
            Some(_) => Err(unusable(path, "is in the archive twice")),
            None => Ok(()),
        }
    }

    /// The kind of an entry; none where the archive has no such entry.
    pub(super) fn kind(&self, path: &[u8]) -> Option<&Kind> {
        self.entries.get(path).map(|item| &item.kind)
    }

    /// The path of the last entry, in the order of the paths.
    pub(super) fn last(&self) -> Option<&[u8]> {
        self.entries.keys().next_back().map(Vec::as_slice)
    }

    /// Reads the archive of a folder, in which the entries' paths begin with the folder's own name.
    ///
    /// `path` is the folder's path in the image, such as `/opt/CrowdStrike`.
    ///
    /// # Errors
    /// An archive that cannot be read, and an entry that is not within the folder, is there twice or removes files.
    pub fn read<R: Read + Seek>(path: &str, archive: R) -> Result<Self, FolderError> {
        let mut folder = Self::empty(path);
        let parent = folder.path.iter().rposition(|byte| *byte == b'/');
        let above = parent.map_or(&[][..], |end| &folder.path[..end]).to_vec();
        let mut archive = Archive::new(archive);
        for entry in archive.entries_with_seek()? {
            let mut entry = entry?;
            let path = joined(&above, bare(&entry.path_bytes()));
            let item = item(&mut entry, &above)?;
            folder.insert(&path, item)?;
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
            let (header, records) = item.written(path)?;
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
