//! The entries of a tar archive, one after the other.
//!
//! The headers are read by the tar crate, and the walk from one to the next is done here, as Go's archive/tar does it,
//! with which engines unpack: the crate's own walk holds long names of any length in memory.

use std::borrow::Cow;
use std::io::{self, Read};

use tar::Header;

use super::answer::Obstacle;
use super::limits::PATH;

const BLOCK: usize = 512;

/// The most bytes of a header for long names, as in Go's archive/tar.
const EXTENSION: u64 = 1 << 20;

/// Kind of an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Folder,
    File,
    Link,
    HardLink,
    /// Something else, by its name for people.
    Other(&'static str),
}

/// An entry without its content.
#[derive(Debug)]
pub(super) struct TarEntry {
    pub(super) path: Vec<u8>,
    pub(super) kind: Kind,
    /// Bytes of a file.
    pub(super) size: u64,
    /// Target of a link.
    pub(super) link: Vec<u8>,
}

/// Fields of the next entry that its own header has no room for.
#[derive(Default)]
struct Extension {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    size: Option<u64>,
}

/// Reads an archive to its last entry. The content of each may be read, in part or to its end.
pub(super) fn each(
    tar: &mut dyn Read,
    take: &mut dyn FnMut(&TarEntry, &mut dyn Read) -> Result<(), Obstacle>,
) -> Result<(), Obstacle> {
    let mut header = Header::new_old();
    let (mut gnu, mut pax) = (Extension::default(), Extension::default());
    while read_header(tar, &mut header)? {
        let size = header.entry_size()?;
        match header.entry_type().as_byte() {
            b'L' => gnu.path = Some(text(tar, size)?),
            b'K' => gnu.link = Some(text(tar, size)?),
            b'x' => pax = records(&content(tar, size)?)?,
            // What holds for all entries is neither a name nor a size. Go's reader forgets what came for the next entry.
            b'g' => {
                skip(tar, size)?;
                (gnu, pax) = (Extension::default(), Extension::default());
            }
            kind => {
                let entry = entry(&header, kind, gnu, pax)?;
                let mut content = tar.take(entry.size);
                take(&entry, &mut content)?;
                let rest = content.limit();
                skip_rest(tar, entry.size, rest)?;
                (gnu, pax) = (Extension::default(), Extension::default());
            }
        }
    }
    Ok(())
}

/// Reads the next header; returns false at the end, which is two blocks of zeros, or nothing.
fn read_header(tar: &mut dyn Read, header: &mut Header) -> Result<bool, Obstacle> {
    if !read_block(tar, header.as_mut_bytes())? {
        return Ok(false);
    }
    let is_zero = |header: &Header| header.as_bytes().iter().all(|byte| *byte == 0);
    if is_zero(header) {
        let ends = !read_block(tar, header.as_mut_bytes())? || is_zero(header);
        return if ends {
            Ok(false)
        } else {
            Err(Obstacle::unreadable("an archive goes on after its end"))
        };
    }
    // The field of the sum itself counts as blanks; some programs add up signed bytes.
    let bytes = header.as_bytes().iter().enumerate();
    let bytes = bytes.map(|(at, byte)| {
        if (148..156).contains(&at) {
            b' '
        } else {
            *byte
        }
    });
    let (unsigned, signed) = bytes.fold((0_i64, 0_i64), |(unsigned, signed), byte| {
        (
            unsigned + i64::from(byte),
            signed + i64::from(byte.cast_signed()),
        )
    });
    let expected = i64::from(header.cksum()?);
    if expected == unsigned || expected == signed {
        Ok(true)
    } else {
        Err(Obstacle::unreadable("it is not a tar archive"))
    }
}

/// Reads a block; returns false if there is none.
fn read_block(tar: &mut dyn Read, block: &mut [u8; BLOCK]) -> Result<bool, Obstacle> {
    let mut read = 0;
    while read < BLOCK {
        match tar.read(&mut block[read..])? {
            0 if read == 0 => return Ok(false),
            0 => return Err(truncated()),
            more => read += more,
        }
    }
    Ok(true)
}

fn entry(header: &Header, kind: u8, gnu: Extension, pax: Extension) -> Result<TarEntry, Obstacle> {
    let path = gnu.path.or(pax.path);
    let path = path.unwrap_or_else(|| header.path_bytes().into_owned());
    let link = gnu.link.or(pax.link);
    let link = link.or_else(|| header.link_name_bytes().map(Cow::into_owned));
    let link = link.unwrap_or_default();
    if path.len().max(link.len()) > PATH {
        let why = format!("a path has more than {PATH} bytes");
        return Err(Obstacle::unreadable(&why));
    }
    let kind = match kind {
        b'0' | 0 if path.ends_with(b"/") => Kind::Folder,
        b'0' | 0 => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Link,
        b'3' | b'4' => Kind::Other("a device"),
        b'5' => Kind::Folder,
        b'6' => Kind::Other("a pipe"),
        b'S' => return Err(Obstacle::unreadable("it has a sparse file")),
        _ => Kind::Other("of an unknown kind"),
    };
    let is_header_only = matches!(kind, Kind::Folder | Kind::HardLink | Kind::Link)
        || matches!(kind, Kind::Other("a device" | "a pipe"));
    let size = match pax.size {
        _ if is_header_only => 0,
        Some(size) => size,
        None => header.entry_size()?,
    };
    Ok(TarEntry {
        path,
        kind,
        size,
        link,
    })
}

/// The records of a pax header that matter here. They have their lengths in front, since values can have any bytes.
fn records(mut bytes: &[u8]) -> Result<Extension, Obstacle> {
    let malformed = || Obstacle::unreadable("a pax header is malformed");
    let mut extension = Extension::default();
    while !bytes.is_empty() {
        let blank = bytes.iter().position(|byte| *byte == b' ');
        let blank = blank.ok_or_else(malformed)?;
        let length = std::str::from_utf8(&bytes[..blank]).ok();
        let length: usize = length
            .and_then(|text| text.parse().ok())
            .ok_or_else(malformed)?;
        let record = bytes.get(blank + 1..length).ok_or_else(malformed)?;
        bytes = &bytes[length..];
        let record = record.strip_suffix(b"\n").ok_or_else(malformed)?;
        let equals = record.iter().position(|byte| *byte == b'=');
        let (key, value) = record.split_at(equals.ok_or_else(malformed)?);
        let value = &value[1..];
        match key {
            b"path" => extension.path = Some(value.to_owned()),
            b"linkpath" => extension.link = Some(value.to_owned()),
            b"size" => {
                let size = std::str::from_utf8(value).ok();
                let size = size.and_then(|text| text.parse().ok());
                extension.size = Some(size.ok_or_else(malformed)?);
            }
            _ if key.starts_with(b"GNU.sparse.") => {
                return Err(Obstacle::unreadable("it has a sparse file"));
            }
            _ => {}
        }
    }
    Ok(extension)
}

/// A long name, which ends at its first zero.
fn text(tar: &mut dyn Read, size: u64) -> Result<Vec<u8>, Obstacle> {
    let mut bytes = content(tar, size)?;
    let end = bytes.iter().position(|byte| *byte == 0);
    bytes.truncate(end.unwrap_or(bytes.len()));
    Ok(bytes)
}

/// The content of a header for long names.
fn content(tar: &mut dyn Read, size: u64) -> Result<Vec<u8>, Obstacle> {
    if size > EXTENSION {
        return Err(Obstacle::unreadable("a header has more than 1 MiB"));
    }
    let mut bytes = Vec::new();
    let read = tar.take(size).read_to_end(&mut bytes)?;
    if (read as u64) < size {
        return Err(truncated());
    }
    skip_padding(tar, size)?;
    Ok(bytes)
}

/// Passes over the content of an entry.
fn skip(tar: &mut dyn Read, size: u64) -> Result<(), Obstacle> {
    skip_rest(tar, size, size)
}

/// Passes over the last bytes of an entry's content.
fn skip_rest(tar: &mut dyn Read, size: u64, rest: u64) -> Result<(), Obstacle> {
    if io::copy(&mut tar.take(rest), &mut io::sink())? < rest {
        return Err(truncated());
    }
    skip_padding(tar, size)
}

fn skip_padding(tar: &mut dyn Read, size: u64) -> Result<(), Obstacle> {
    let block = BLOCK as u64;
    let padding = (block - size % block) % block;
    // The last block of an archive may be shorter.
    io::copy(&mut tar.take(padding), &mut io::sink())?;
    Ok(())
}

fn truncated() -> Obstacle {
    Obstacle::unreadable("an archive ends before its end")
}
