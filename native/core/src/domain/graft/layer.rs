//! A layer written anew, so that the same files give the same bytes.

use std::io;
use std::io::{Read, Write};

use tar::{Archive, Builder, Entry, EntryType, Header};

use super::obstacle::Obstacle;

/// The version of what [`rewrite`] and the compression after it make of a layer; it has to grow with
/// every change of theirs, for what is remembered of earlier ones is keyed by it.
pub const VERSION: u32 = 1;

/// The folder that the sensor has for itself.
const SENSOR: &[u8] = b"opt/CrowdStrike";

/// The folder above, which is the source's.
const PARENT: &[u8] = b"opt";

/// Prefix that marks a name of a lower layer as removed
/// (<https://github.com/opencontainers/image-spec/blob/main/layer.md#whiteouts>).
const WHITEOUT: &[u8] = b".wh.";

/// The records of a pax header that say what a file is; all others tell when or by whom it was packed.
const LASTING_RECORD: &str = "SCHILY.xattr.";

/// Bytes that a name may have in a header of its own.
const NAME_LENGTH: usize = 100;

/// Writes a layer anew, without what varies from build to build: times, and the names of users.
///
/// The bare entry for `opt` is left out, since it would give the source's folder another mode and
/// owner. Files, owners, modes, links and extended attributes stay as they are, in the order in which
/// they come, which is that of their names.
pub fn rewrite(layer: impl Read, out: impl Write) -> Result<(), Unwritten> {
    let mut archive = Archive::new(layer);
    let mut builder = Builder::new(out);
    for entry in archive.entries()? {
        let mut entry = entry?;
        if is_parent(&entry) {
            continue;
        }
        refuse_elsewhere(&entry)?;
        append(&mut builder, &mut entry)?;
    }
    builder.into_inner()?.flush()?;
    Ok(())
}

/// Reason that a layer is not written anew.
#[derive(Debug)]
pub enum Unwritten {
    /// It is not what can be grafted.
    Obstacle(Obstacle),
    /// It cannot be read to its end, or the other end of `out` is gone.
    Io(io::Error),
}

impl From<io::Error> for Unwritten {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A path without the slashes and the dot around it.
fn bare(path: &[u8]) -> &[u8] {
    let path = path.strip_prefix(b"./").unwrap_or(path);
    let path = path.strip_prefix(b"/").unwrap_or(path);
    path.strip_suffix(b"/").unwrap_or(path)
}

fn is_parent<R: Read>(entry: &Entry<'_, R>) -> bool {
    entry.header().entry_type() == EntryType::Directory && bare(&entry.path_bytes()) == PARENT
}

/// Every path, and every path that a hard link leads to, is of the sensor; nothing is removed.
fn refuse_elsewhere<R: Read>(entry: &Entry<'_, R>) -> Result<(), Unwritten> {
    let is_hard_link = entry.header().entry_type() == EntryType::Link;
    let target = entry.link_name_bytes().filter(|_| is_hard_link);
    for path in [Some(entry.path_bytes()), target].into_iter().flatten() {
        if !is_of_sensor(&path) {
            let path = String::from_utf8_lossy(&path).into_owned();
            return Err(Unwritten::Obstacle(Obstacle::Elsewhere { path }));
        }
    }
    Ok(())
}

fn is_of_sensor(path: &[u8]) -> bool {
    let Some(rest) = bare(path).strip_prefix(SENSOR) else {
        return false;
    };
    let mut names = rest.split(|byte| *byte == b'/');
    // Before the first slash there is nothing, or else the folder only begins like the sensor's.
    names.next() == Some(b"") && names.all(|name| name != b".." && !name.starts_with(WHITEOUT))
}

fn append<R: Read>(
    builder: &mut Builder<impl Write>,
    entry: &mut Entry<'_, R>,
) -> Result<(), Unwritten> {
    let path = entry.path_bytes().into_owned();
    let link = entry.link_name_bytes().map(std::borrow::Cow::into_owned);
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    for record in entry.pax_extensions()?.into_iter().flatten() {
        let record = record?;
        let key = record.key().map_err(io::Error::other)?;
        if key.starts_with(LASTING_RECORD) {
            records.push((key.to_owned(), record.value_bytes().to_owned()));
        }
    }
    let mut header = header(entry)?;
    let fields = header
        .as_ustar_mut()
        .map(|fields| (&mut fields.name, &mut fields.linkname));
    if let Some((name, linkname)) = fields {
        for (key, field, text) in [("path", name, Some(path)), ("linkpath", linkname, link)] {
            let Some(text) = text else { continue };
            let shown = text.len().min(NAME_LENGTH);
            field[..shown].copy_from_slice(&text[..shown]);
            if text.len() > NAME_LENGTH {
                records.push((key.to_owned(), text));
            }
        }
    }
    header.set_cksum();
    // Go's engines write them in the order of a map, so only sorting makes them the same each time.
    records.sort();
    builder.append_pax_extensions(
        records
            .iter()
            .map(|(key, value)| (key.as_str(), &value[..])),
    )?;
    builder.append(&header, entry)?;
    Ok(())
}

/// A header that holds what a file is, but for its names and its checksum.
fn header<R: Read>(entry: &Entry<'_, R>) -> Result<Header, Unwritten> {
    let packed = entry.header();
    let kind = packed.entry_type();
    let is_known = matches!(
        kind,
        EntryType::Regular
            | EntryType::Directory
            | EntryType::Symlink
            | EntryType::Link
            | EntryType::Fifo
            | EntryType::Char
            | EntryType::Block
    );
    if !is_known {
        let why = format!("an entry is of the unknown kind {:#x}", kind.as_byte());
        return Err(Unwritten::Obstacle(Obstacle::Unreadable(why)));
    }
    let mut header = Header::new_ustar();
    header.set_entry_type(kind);
    header.set_mode(packed.mode()? & 0o7777);
    header.set_uid(packed.uid()?);
    header.set_gid(packed.gid()?);
    header.set_size(entry.size());
    if matches!(kind, EntryType::Char | EntryType::Block) {
        header.set_device_major(packed.device_major()?.unwrap_or_default())?;
        header.set_device_minor(packed.device_minor()?.unwrap_or_default())?;
    }
    Ok(header)
}
