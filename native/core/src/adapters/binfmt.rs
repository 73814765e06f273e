//! Finds out if the kernel of this machine runs ARM64 programs with an emulator.
//!
//! The kernel's handlers are in `binfmt_misc`, one file each
//! (<https://docs.kernel.org/admin-guide/binfmt-misc.html>). What they say holds for this machine only: it says nothing
//! of an engine elsewhere, and nothing where the job runs in a container. The proof is an ARM64 program that runs.

use std::path::Path;
use std::{fs, io};

use crate::domain::emulation::{Handler, Registration};

/// Folder where the kernel shows its handlers.
pub const BINFMT_MISC: &str = "/proc/sys/fs/binfmt_misc";

impl Handler {
    /// Returns true if it works in containers: with the flag `F` the kernel opened the emulator when it was registered;
    /// without it, it looks for the path in the container.
    #[must_use]
    pub fn works_in_containers(&self) -> bool {
        self.flags.contains('F')
    }
}

/// Looks through the handlers under `root`, which is [`BINFMT_MISC`] but for tests.
///
/// Of several the kernel takes the one registered last, which cannot be told from here; the one that works in
/// containers is given, because the proof by a container comes afterwards.
#[must_use]
pub fn registered(root: &Path) -> Registration {
    // Where the file system is not mounted, its folder is there and empty; `status` tells the two apart.
    match fs::read_to_string(root.join("status")) {
        Ok(status) if status.trim() == "enabled" => {}
        Ok(_) => return Registration::Absent,
        Err(_) => return Registration::Unknown,
    }
    let Ok(handlers) = handlers(root) else {
        return Registration::Unknown;
    };
    let best = handlers
        .into_iter()
        .max_by_key(Handler::works_in_containers);
    best.map_or(Registration::Absent, Registration::Registered)
}

fn handlers(root: &Path) -> io::Result<Vec<Handler>> {
    let mut handlers = Vec::new();
    for entry in fs::read_dir(root)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        // A handler may be removed between the listing and the reading.
        let Ok(text) = fs::read_to_string(&path) else {
            continue;
        };
        handlers.extend(parse(&name, &text));
    }
    Ok(handlers)
}

/// Understands a handler's file; none if it is off or not for ARM64 programs.
fn parse(name: &str, text: &str) -> Option<Handler> {
    let mut lines = text.lines();
    if lines.next()? != "enabled" {
        return None;
    }
    let lines: Vec<_> = lines.filter_map(|line| line.split_once(' ')).collect();
    let field = |name: &str| lines.iter().find(|(key, _)| *key == name).map(|(_, v)| *v);
    let magic = bytes(field("magic")?)?;
    let mask = match field("mask") {
        Some(mask) => bytes(mask)?,
        None => vec![0xff; magic.len()],
    };
    let offset = field("offset")?.parse().ok()?;
    let runs = |header: &[u8]| matches(header, offset, &magic, &mask);
    let handler = || Handler {
        name: name.to_owned(),
        interpreter: field("interpreter").unwrap_or_default().to_owned(),
        flags: field("flags:").unwrap_or_default().to_owned(),
    };
    [EXECUTABLE, POSITION_INDEPENDENT]
        .iter()
        .all(|kind| runs(&elf_header(*kind)))
        .then(handler)
}

/// The ELF type of a program at a fixed address.
const EXECUTABLE: u8 = 2;

/// The ELF type of a program at any address, which most are.
const POSITION_INDEPENDENT: u8 = 3;

/// The beginning of an ARM64 program: 64-bit, little-endian, ABI of System V, machine 183.
fn elf_header(kind: u8) -> [u8; 64] {
    let mut header = [0; 64];
    header[..7].copy_from_slice(b"\x7fELF\x02\x01\x01");
    header[16] = kind;
    header[18] = 0xb7;
    header[20] = 1;
    header
}

/// The kernel's own comparison: where the mask has a bit, magic and file have to agree on it.
fn matches(header: &[u8], offset: usize, magic: &[u8], mask: &[u8]) -> bool {
    let Some(part) = header.get(offset..offset + magic.len()) else {
        return false;
    };
    let bytes = part.iter().zip(magic).zip(mask);
    magic.len() == mask.len()
        && bytes
            .into_iter()
            .all(|((byte, magic), mask)| (byte ^ magic) & mask == 0)
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.trim().as_bytes();
    let pair = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let is_whole = digits.len().is_multiple_of(2);
    is_whole.then(|| digits.chunks(2).map(pair).collect())?
}

#[cfg(test)]
mod tests;
