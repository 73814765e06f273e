//! A file that a run writes for later steps: checked first, and replaced as a whole.
//!
//! The sources of a pipeline can hold links that a stranger's change put there, and the run writes with the agent's
//! rights. So no link is written through, and a path within a folder of the job does not lead out of it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{Access, access};

/// A file to write, in a folder that is there.
#[derive(Clone, Debug)]
pub struct OutputFile {
    /// The folder without any link.
    folder: PathBuf,
    path: PathBuf,
    /// The permissions of the file that is there.
    permissions: Option<Permissions>,
}

impl OutputFile {
    /// Finds the place of the file, and checks that it can be written there, without writing anything.
    ///
    /// `roots` are folders that a path within must not leave by a link; the first that holds the path counts. A path
    /// outside of all of them is the pipeline's own choice.
    ///
    /// # Errors
    /// The folder is missing, cannot be written to, or lies outside of its root; or the file is a link, is not a regular
    /// file, or cannot be written.
    pub fn locate(path: &Path, roots: &[&Path]) -> io::Result<Self> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = path.parent().unwrap_or(Path::new("/")).canonicalize()?;
        if let Some(root) = roots.iter().find(|root| path.starts_with(root))
            && !folder.starts_with(root.canonicalize()?)
        {
            let root = root.display();
            return Err(other(format!("a link leads its folder out of `{root}`")));
        }
        access(&folder, Access::WRITE_OK | Access::EXEC_OK)?;
        let path = folder.join(name);
        Ok(Self {
            permissions: writable(&path)?,
            folder,
            path,
        })
    }

    /// The file beside it that holds the new content for a moment.
    #[must_use]
    pub fn draft(&self, run: &str) -> PathBuf {
        self.folder.join(format!(".falcon-patch-{run}.tmp"))
    }

    /// Writes the content into `draft`, and gives that the file's name, so that the file is whole at any time. The
    /// permissions of a file that was there are kept.
    ///
    /// # Errors
    /// The disk refuses; `draft` may be left then.
    pub fn replace(&self, draft: &Path, content: &[u8]) -> io::Result<()> {
        let mut options = OpenOptions::new();
        let mut file: File = options
            .write(true)
            .create_new(true)
            .mode(0o666)
            .open(draft)?;
        file.write_all(content)?;
        if let Some(permissions) = &self.permissions {
            file.set_permissions(permissions.clone())?;
        }
        file.sync_all()?;
        fs::rename(draft, &self.path)
    }
}

/// The permissions of a regular file that may be written; none for a path without a file.
fn writable(path: &Path) -> io::Result<Option<Permissions>> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    if metadata.is_symlink() {
        return Err(other("it is a symbolic link".to_owned()));
    }
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(other("it is not a regular file".to_owned()));
    }
    access(path, Access::WRITE_OK)?;
    Ok(Some(Permissions::from_mode(
        metadata.permissions().mode() & 0o777,
    )))
}

fn other(why: String) -> io::Error {
    io::Error::other(why)
}

#[cfg(test)]
mod tests {
    use super::OutputFile;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::path::{Path, PathBuf};

    /// A folder of sources with a folder in it, and a folder beside it.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let place = tempfile::tempdir().expect("a folder");
        for folder in ["s/deploy", "outside"] {
            fs::create_dir_all(place.path().join(folder)).expect("a folder");
        }
        let sources = place.path().join("s");
        (place, sources)
    }

    fn refusal(path: &Path, roots: &[&Path]) -> String {
        let refused = OutputFile::locate(path, roots);
        refused.expect_err("a refusal").to_string()
    }

    fn write(path: &Path, roots: &[&Path], content: &str) {
        let file = OutputFile::locate(path, roots).expect("a place");
        let draft = file.draft("0123");
        file.replace(&draft, content.as_bytes()).expect("a file");
        assert!(!draft.exists());
        assert_eq!(fs::read_to_string(path).expect("a file"), content);
    }

    #[test]
    fn a_file_is_replaced_with_its_permissions() {
        let (_place, sources) = place();
        let path = sources.join("deploy/out.json");
        write(&path, &[&sources], "a long first content");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("a mode");
        write(&path, &[&sources], "new");
        let mode = fs::metadata(&path).expect("a file").permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }

    #[test]
    fn no_link_is_written_through() {
        let (place, sources) = place();
        let outside = place.path().join("outside/secret");
        fs::write(&outside, "theirs").expect("a file");
        symlink(&outside, sources.join("out.json")).expect("a link");
        symlink("nowhere", sources.join("dangling.json")).expect("a link");
        symlink(place.path().join("outside"), sources.join("linked")).expect("a link");
        symlink("deploy", sources.join("inside")).expect("a link");
        let at = |name: &str| sources.join(name);
        for name in ["out.json", "dangling.json"] {
            assert_eq!(refusal(&at(name), &[&sources]), "it is a symbolic link");
            assert_eq!(refusal(&at(name), &[]), "it is a symbolic link");
        }
        for name in [
            "linked/new.json",
            "deploy/../linked/new.json",
            "../outside/new.json",
        ] {
            let why = refusal(&at(name), &[&sources, place.path()]);
            assert!(why.contains("out of"), "{name}: {why}");
        }
        // A link that stays inside is the repository's own matter, as is a folder that the pipeline names by itself.
        write(&at("inside/new.json"), &[&sources], "1");
        write(&place.path().join("outside/new.json"), &[&sources], "2");
        assert_eq!(fs::read_to_string(outside).expect("a file"), "theirs");
    }

    #[test]
    fn a_link_that_takes_the_place_afterwards_is_replaced_and_not_followed() {
        let (place, sources) = place();
        let (path, outside) = (sources.join("out.json"), place.path().join("outside/x"));
        let file = OutputFile::locate(&path, &[&sources]).expect("a place");
        symlink(&outside, &path).expect("a link");
        file.replace(&file.draft("1"), b"ours").expect("a file");
        assert!(!outside.exists());
        assert!(path.symlink_metadata().expect("a file").is_file());
    }

    #[test]
    fn what_is_no_file_is_refused_and_a_draft_is_never_shared() {
        let (_place, sources) = place();
        let pipe = sources.join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&pipe).status();
        assert!(made.is_ok_and(|made| made.success()));
        assert_eq!(refusal(&pipe, &[]), "it is not a regular file");
        assert_eq!(refusal(&sources.join("deploy"), &[]), "is a directory");
        assert!(OutputFile::locate(&sources.join("no/out.json"), &[]).is_err());
        assert!(OutputFile::locate(Path::new("/"), &[]).is_err());
        let file = OutputFile::locate(&sources.join("out.json"), &[]).expect("a place");
        let draft = file.draft("1");
        fs::write(&draft, "someone's").expect("a file");
        assert!(file.replace(&draft, b"ours").is_err());
        assert!(!sources.join("out.json").exists(), "no half file");
    }
}
