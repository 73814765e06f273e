//! Programs of images, kept in the agent's work folder until the job ends.
//!
//! A file's name holds the digest of the image that it is from and that of its content. So a file counts only if its
//! content is the one that was found in the image's layer. It is written under another name first.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use crate::domain::reference::digest::Digest;
use crate::domain::reference::hashing::Hashing;

/// All may read and run a program, and no one may write it: it is mounted into containers, with any user in them.
const MODE: u32 = 0o555;

/// The place of one image's program in the folder that also has the journal, of mode 0700.
#[derive(Clone, Debug)]
pub struct ProgramFolder {
    folder: PathBuf,
    /// The beginning of its files' names.
    prefix: String,
}

impl ProgramFolder {
    /// The place of the program of an image.
    #[must_use]
    pub fn of(folder: &Path, image: &Digest) -> Self {
        Self {
            folder: folder.to_owned(),
            prefix: format!("falconutil-{}-", hex(image)),
        }
    }

    /// Finds the program whose content is still what its name says. Reads it to its end.
    ///
    /// # Errors
    /// The disk's.
    pub fn find(&self) -> io::Result<Option<PathBuf>> {
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = entry.file_name();
            let expected = name.to_str().and_then(|name| self.content(name));
            if let Some(expected) = expected
                && is_intact(&entry.path(), &expected)?
            {
                return Ok(Some(entry.path()));
            }
        }
        Ok(None)
    }

    /// The digest of the content in the name of a file of this image; none for other files.
    fn content(&self, name: &str) -> Option<Digest> {
        let content = name.strip_prefix(&self.prefix)?;
        format!("sha256:{content}").parse().ok()
    }

    /// The file that a run writes first.
    #[must_use]
    pub fn draft(&self, run: &str) -> PathBuf {
        self.folder.join(format!("{}{run}.draft", self.prefix))
    }

    /// The file of a program with this content.
    #[must_use]
    pub fn place(&self, content: &Digest) -> PathBuf {
        self.folder.join(format!("{}{}", self.prefix, hex(content)))
    }

    /// Gives a draft its name, and takes the right to write it away.
    ///
    /// # Errors
    /// The disk's.
    pub fn keep(&self, draft: &Path, content: &Digest) -> io::Result<()> {
        fs::set_permissions(draft, Permissions::from_mode(MODE))?;
        fs::rename(draft, self.place(content))
    }
}

/// Creates a draft, which must not be there.
///
/// # Errors
/// The disk's.
pub fn create(draft: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(draft)
}

/// Returns true for a regular file that no one may write, and that has this content.
fn is_intact(path: &Path, content: &Digest) -> io::Result<bool> {
    let metadata = path.symlink_metadata()?;
    if !metadata.is_file() || metadata.permissions().mode() & 0o777 != MODE {
        return Ok(false);
    }
    let mut file = Hashing::new(File::open(path)?);
    io::copy(&mut file, &mut io::sink())?;
    Ok(file.digest() == *content)
}

fn hex(digest: &Digest) -> &str {
    let text = digest.as_str();
    text.strip_prefix("sha256:").unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::{ProgramFolder, create};
    use crate::domain::reference::digest::Digest;
    use std::fs::{self, Permissions};
    use std::io::Write as _;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::{Path, PathBuf};

    const CONTENT: &[u8] = b"program";

    fn programs(folder: &Path) -> ProgramFolder {
        ProgramFolder::of(folder, &Digest::of(b"image"))
    }

    /// Keeps a program, and returns its file.
    fn keep(programs: &ProgramFolder, content: &[u8]) -> PathBuf {
        let draft = programs.draft("0123");
        let mut file = create(&draft).expect("a draft");
        file.write_all(content).expect("a draft");
        assert_eq!(programs.find().expect("a folder"), None, "a draft");
        let digest = Digest::of(content);
        programs.keep(&draft, &digest).expect("a file");
        assert!(!draft.exists());
        programs.place(&digest)
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, Permissions::from_mode(mode)).expect("a mode");
    }

    #[test]
    fn a_kept_program_is_found_for_its_image_alone() {
        let place = tempfile::tempdir().expect("a folder");
        let programs = programs(place.path());
        let kept = keep(&programs, CONTENT);
        assert_eq!(fs::read(&kept).expect("a file"), CONTENT);
        let mode = fs::metadata(&kept).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o555);
        assert_eq!(programs.find().expect("a folder"), Some(kept));
        let other = ProgramFolder::of(place.path(), &Digest::of(b"other"));
        assert_eq!(other.find().expect("a folder"), None);
        let nowhere = ProgramFolder::of(&place.path().join("none"), &Digest::of(b"image"));
        assert_eq!(nowhere.find().expect("no folder"), None);
    }

    #[test]
    fn a_changed_program_does_not_count_and_is_replaced() {
        type Change = fn(&Path);
        let changes: [Change; 4] = [
            |path| {
                set_mode(path, 0o755);
                fs::write(path, b"another").expect("a file");
                set_mode(path, 0o555);
            },
            |path| set_mode(path, 0o575),
            |path| {
                let real = path.with_extension("real");
                fs::rename(path, &real).expect("a file");
                symlink(&real, path).expect("a link");
            },
            |path| fs::remove_file(path).expect("a file"),
        ];
        for change in changes {
            let place = tempfile::tempdir().expect("a folder");
            let programs = programs(place.path());
            let kept = keep(&programs, CONTENT);
            change(&kept);
            assert_eq!(programs.find().expect("a folder"), None);
            assert_eq!(keep(&programs, CONTENT), kept);
            assert_eq!(programs.find().expect("a folder"), Some(kept));
        }
    }

    #[test]
    fn a_draft_of_another_is_never_written_to() {
        let place = tempfile::tempdir().expect("a folder");
        let draft = programs(place.path()).draft("0123");
        create(&draft).expect("a draft");
        assert!(create(&draft).is_err());
    }
}
