//! A build's context: a tar of a few files, as the client sent it and as the engine gets it.

use std::io::{self, Read as _};

use tar::EntryType;

use super::build::DOCKERFILE;
use crate::adapters::engine::socket::refusals::shortened;

/// Largest context, in bytes, both as sent and unpacked. falconutil's holds a Dockerfile.
pub(super) const LIMIT: usize = 1 << 20;

/// The regular files of a context.
#[derive(Debug)]
pub(super) struct Context(Vec<ContextFile>);

/// A regular file of a context.
#[derive(Debug)]
pub(super) struct ContextFile {
    /// Its path in the context, without a leading `./`.
    pub(super) path: String,
    mode: u32,
    modified: u64,
    bytes: Vec<u8>,
}

impl Context {
    /// Reads a context.
    ///
    /// # Errors
    /// The reason why it is refused.
    pub(super) fn read(sent: &[u8]) -> Result<Self, String> {
        let unpacked = unpack(sent)?;
        let unreadable = |_| "its context is not a readable tar".to_owned();
        let mut files: Vec<ContextFile> = Vec::new();
        let mut archive = tar::Archive::new(&unpacked[..]);
        for entry in archive.entries().map_err(unreadable)? {
            let mut entry = entry.map_err(unreadable)?;
            let kind = entry.header().entry_type();
            if matches!(kind, EntryType::Directory | EntryType::XGlobalHeader) {
                continue;
            }
            let path = path(&entry.path_bytes())?;
            if kind != EntryType::Regular {
                return Err(format!(
                    "`{}` in its context is not a regular file",
                    shortened(&path)
                ));
            }
            if files.iter().any(|file| file.path == path) {
                return Err(format!("`{}` is in its context twice", shortened(&path)));
            }
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).map_err(unreadable)?;
            files.push(ContextFile {
                path,
                mode: entry.header().mode().map_err(unreadable)?,
                modified: entry.header().mtime().map_err(unreadable)?,
                bytes,
            });
        }
        Ok(Self(files))
    }

    /// The text of a file.
    pub(super) fn text(&self, wanted: &str) -> Result<&str, String> {
        let wanted = path(wanted.as_bytes())?;
        let mut files = self.0.iter();
        let file = files.find(|file| file.path == wanted);
        let file =
            file.ok_or_else(|| format!("its context has no file `{}`", shortened(&wanted)))?;
        str::from_utf8(&file.bytes).map_err(|_| format!("`{}` is not UTF-8", shortened(&wanted)))
    }

    /// The files that a copy of a path takes: the file itself, or all of a folder.
    pub(super) fn copied(&self, wanted: &str) -> impl Iterator<Item = &ContextFile> {
        let wanted = wanted.trim_matches('/');
        self.0.iter().filter(move |file| {
            let rest = file.path.strip_prefix(wanted);
            wanted.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
        })
    }
}

/// Writes the context that the engine gets: one Dockerfile, and the files that it copies.
pub(super) fn pack(dockerfile: &str, files: &[&ContextFile]) -> io::Result<Vec<u8>> {
    let mut archive = tar::Builder::new(Vec::new());
    append(&mut archive, DOCKERFILE, 0o644, 0, dockerfile.as_bytes())?;
    for file in files {
        // The Dockerfile's own name is taken.
        if file.path != DOCKERFILE {
            append(
                &mut archive,
                &file.path,
                file.mode & 0o777,
                file.modified,
                &file.bytes,
            )?;
        }
    }
    archive.into_inner()
}

fn append(
    archive: &mut tar::Builder<Vec<u8>>,
    path: &str,
    mode: u32,
    modified: u64,
    bytes: &[u8],
) -> io::Result<()> {
    let mut header = tar::Header::new_gnu();
    header.set_size(bytes.len() as u64);
    header.set_mode(mode);
    header.set_mtime(modified);
    archive.append_data(&mut header, path, bytes)
}

/// Unpacks a context that is packed with gzip, as far as the limit.
fn unpack(sent: &[u8]) -> Result<Vec<u8>, String> {
    if !sent.starts_with(&[0x1f, 0x8b]) {
        return Ok(sent.to_vec());
    }
    let mut unpacked = Vec::new();
    let read = flate2::read::MultiGzDecoder::new(sent)
        .take(LIMIT as u64 + 1)
        .read_to_end(&mut unpacked);
    match read {
        Ok(size) if size <= LIMIT => Ok(unpacked),
        Ok(_) => Err("its context is larger than 1 MiB".to_owned()),
        Err(_) => Err("its context is not readable gzip".to_owned()),
    }
}

/// A path in a context; one that leads elsewhere is refused.
fn path(bytes: &[u8]) -> Result<String, String> {
    let refuse = || {
        let path = String::from_utf8_lossy(bytes);
        format!("the path `{}` is not in its context", shortened(&path))
    };
    let mut path = str::from_utf8(bytes).map_err(|_| refuse())?;
    while let Some(rest) = path.strip_prefix("./") {
        path = rest;
    }
    let strange = |part: &str| matches!(part, "" | "." | "..");
    if path.split('/').any(strange) || path.contains(|c: char| c.is_control() || c == '\\') {
        return Err(refuse());
    }
    Ok(path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::{Context, LIMIT, pack};
    use std::io::Write as _;
    use tar::{Builder, EntryType, Header};

    fn tar(entries: &[(&str, EntryType, &str)]) -> Vec<u8> {
        let mut archive = Builder::new(Vec::new());
        for (path, kind, content) in entries {
            let mut header = Header::new_gnu();
            // Written by hand, because the library refuses such paths.
            let name = &mut header.as_old_mut().name;
            name[..path.len()].copy_from_slice(path.as_bytes());
            header.set_entry_type(*kind);
            if kind.is_symlink() || kind.is_hard_link() {
                header.set_link_name(content).expect("a link");
            }
            header.set_size(if kind.is_file() {
                content.len() as u64
            } else {
                0
            });
            header.set_mode(0o4755);
            header.set_mtime(7);
            header.set_cksum();
            let bytes = if kind.is_file() { content } else { "" };
            archive.append(&header, bytes.as_bytes()).expect("an entry");
        }
        archive.into_inner().expect("a tar")
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).expect("gzip");
        packer.finish().expect("gzip")
    }

    #[test]
    fn what_the_engine_gets_holds_our_dockerfile_and_the_copied_files_alone() {
        let sent = tar(&[
            ("./", EntryType::Directory, ""),
            ("./Dockerfile", EntryType::Regular, "FROM theirs"),
            ("files/a", EntryType::Regular, "a"),
            ("files/b/c", EntryType::Regular, "c"),
            ("filesystem", EntryType::Regular, "x"),
            (".dockerignore", EntryType::Regular, "*"),
        ]);
        for sent in [gzip(&sent), sent] {
            let context = Context::read(&sent).expect("a context");
            assert_eq!(context.text("Dockerfile"), Ok("FROM theirs"));
            let files: Vec<_> = context.copied("files/").collect();
            let packed = pack("FROM ours", &files).expect("a tar");
            let mut seen = Vec::new();
            let mut archive = tar::Archive::new(&packed[..]);
            for entry in archive.entries().expect("entries") {
                let entry = entry.expect("an entry");
                let mode = entry.header().mode().expect("a mode");
                seen.push(format!(
                    "{} {mode:o}",
                    entry.path().expect("a path").display()
                ));
            }
            assert_eq!(seen, ["Dockerfile 644", "files/a 755", "files/b/c 755"]);
            let again = Context::read(&packed).expect("a context");
            assert_eq!(again.text("Dockerfile"), Ok("FROM ours"));
            assert_eq!(context.copied("").count(), 5);
            assert_eq!(context.copied("nothing").count(), 0);
        }
    }

    #[test]
    fn contexts_that_are_refused() {
        let file = |path| (path, EntryType::Regular, "x");
        for (sent, expected) in [
            (
                tar(&[("a", EntryType::Symlink, "/etc/passwd")]),
                "not a regular file",
            ),
            (tar(&[("a", EntryType::Link, "b")]), "not a regular file"),
            (tar(&[("a", EntryType::Fifo, "")]), "not a regular file"),
            (tar(&[("a", EntryType::Char, "")]), "not a regular file"),
            (tar(&[file("Dockerfile"), file("./Dockerfile")]), "twice"),
            (tar(&[file("../a")]), "not in its context"),
            (tar(&[file("a/../../b")]), "not in its context"),
            (tar(&[file("/etc/passwd")]), "not in its context"),
            (tar(&[file("a//b")]), "not in its context"),
            (gzip(&vec![0; LIMIT + 1]), "larger than 1 MiB"),
            (vec![0x1f, 0x8b, 1, 2], "not readable gzip"),
            (b"FROM scratch\n".repeat(100), "not a readable tar"),
            (b"\xfd7zXZ\0".repeat(100), "not a readable tar"),
        ] {
            let refusal = Context::read(&sent).expect_err(expected);
            assert!(refusal.contains(expected), "{refusal}");
        }
        for dockerfile in ["../Dockerfile", "/Dockerfile", "nothing", ""] {
            let context = Context::read(&tar(&[file("Dockerfile")])).expect("a context");
            assert!(context.text(dockerfile).is_err(), "{dockerfile}");
        }
    }
}
