//! Remembers what a run is about to create where no label can say whose it is.
//!
//! A line is written before the act, so that after a crash the next job of the same agent knows what may be left.
//! Files: one per agent and job, named by hashes, in a folder of mode 0700; lines of JSON. A line that a crash cut
//! off is skipped. What other agents wrote is neither read nor removed.

use std::fs::{DirBuilder, OpenOptions, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::domain::agent::Owner;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// End of the names of the journal's files.
const SUFFIX: &str = ".jsonl";

/// Something that can carry no label.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum JournalItem {
    /// An image that is pulled.
    Image {
        /// Its reference in the engine.
        reference: String,
    },
    /// A pull that is under way. The engine may finish it although the run that asked for it has ended.
    Pull {
        /// The image's reference in the engine.
        reference: String,
    },
    /// A name that an image of the engine is given.
    Tag {
        /// The name.
        reference: String,
    },
    /// A container that another program makes.
    Container {
        /// Its name.
        name: String,
    },
    /// A volume that another program makes.
    Volume {
        /// Its name.
        name: String,
    },
    /// The engine, in which the run may create containers, which carry labels.
    Engine,
    /// A temporary folder.
    Folder {
        /// Its absolute path.
        path: PathBuf,
    },
    /// A folder with files that later steps of the job read. No engine knows it.
    Handover {
        /// Its absolute path.
        path: PathBuf,
    },
    /// A temporary file.
    File {
        /// Its absolute path.
        path: PathBuf,
    },
}

/// A line of the journal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The run that wrote it.
    pub run: String,
    /// True if the run took it away again, so that whatever has its name now is somebody else's.
    #[serde(default)]
    pub settled: bool,
    /// The owner.
    #[serde(flatten)]
    pub owner: Owner,
    /// The item that was about to be created.
    #[serde(flatten)]
    pub item: JournalItem,
}

/// Entries that a job wrote down and did not forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Leftover {
    /// The job's file, to be given to [`Journal::forget`] when all of it is gone.
    pub file: PathBuf,
    /// Its entries in the order in which they were written.
    pub entries: Vec<Entry>,
}

/// The journal of one agent, open for one of its jobs.
#[derive(Clone, Debug)]
pub struct Journal {
    folder: PathBuf,
    owner: Owner,
}

/// Reason that the journal cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("Cannot use the journal `{path}`", path = path.display())]
pub struct JournalError {
    /// The file or folder.
    pub path: PathBuf,
    /// Error that it met.
    pub source: io::Error,
}

impl Explain for JournalError {
    fn code(&self) -> Code {
        Code::TaskFolderNotWritable
    }

    fn hint(&self) -> Option<String> {
        let path = self.path.display();
        Some(format!("Let the agent's user own and write to `{path}`"))
    }
}

impl Journal {
    /// Opens the journal in `folder`, which is made if need be. Things are removed because of what is in it, so
    /// nobody else may write to it.
    pub fn open(folder: &Path, owner: &Owner) -> Result<Self, JournalError> {
        let prepared = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)
            .and_then(|()| make_private(folder));
        prepared.map_err(at(folder))?;
        Ok(Self {
            folder: folder.to_owned(),
            owner: owner.clone(),
        })
    }

    /// Writes down that `run` is about to create something.
    pub fn record(&self, run: &str, item: JournalItem) -> Result<(), JournalError> {
        self.write(run, item, false)
    }

    /// Writes down that `run` took something away again.
    pub fn settle(&self, run: &str, item: JournalItem) -> Result<(), JournalError> {
        self.write(run, item, true)
    }

    fn write(&self, run: &str, item: JournalItem, settled: bool) -> Result<(), JournalError> {
        let entry = Entry {
            run: run.to_owned(),
            settled,
            owner: self.owner.clone(),
            item,
        };
        let file = self.file(&self.owner.job);
        let json = serde_json::to_string(&entry).map_err(|error| at(&file)(error.into()))?;
        let written = OpenOptions::new()
            .append(true)
            .create(true)
            .mode(0o600)
            .open(&file)
            // The line begins with its separator: so it is whole even after one that a crash cut off.
            .and_then(|mut file| file.write_all(format!("\n{json}").as_bytes()));
        written.map_err(at(&file))
    }

    /// Entries that this agent's `job` wrote down, in that order.
    pub fn entries_of(&self, job: &str) -> Result<Vec<Entry>, JournalError> {
        let file = self.file(job);
        match self.read(&file) {
            Ok(mut entries) => {
                entries.retain(|entry| entry.owner.job == job);
                Ok(entries)
            }
            Err(error) if error.source.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Leftovers of earlier jobs of this agent, which did not forget them because they were cut off. An agent runs one
    /// job at a time, so none of them still runs.
    pub fn others(&self) -> Result<Vec<Leftover>, JournalError> {
        let own = self.file(&self.owner.job);
        let prefix = prefix(&self.owner.agent);
        let mut leftovers = Vec::new();
        for entry in fs::read_dir(&self.folder).map_err(at(&self.folder))? {
            let file = entry.map_err(at(&self.folder))?.path();
            let name = file.file_name().unwrap_or_default().to_string_lossy();
            if file == own || !name.starts_with(&prefix) || !name.ends_with(SUFFIX) {
                continue;
            }
            let entries = self.read(&file)?;
            leftovers.push(Leftover { file, entries });
        }
        leftovers.sort_by(|a, b| a.file.cmp(&b.file));
        Ok(leftovers)
    }

    /// The file of the job that the journal is open for.
    #[must_use]
    pub fn own_file(&self) -> PathBuf {
        self.file(&self.owner.job)
    }

    /// Forgets a job once nothing of it is left. Anything but a file of this agent is left alone.
    pub fn forget(&self, file: &Path) -> Result<(), JournalError> {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let is_ours =
            file.parent() == Some(&*self.folder) && name.starts_with(&prefix(&self.owner.agent));
        if !is_ours {
            return Ok(());
        }
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(at(file)(error)),
            _ => Ok(()),
        }
    }

    fn file(&self, job: &str) -> PathBuf {
        let name = format!("{}{}{SUFFIX}", prefix(&self.owner.agent), hash(job));
        self.folder.join(name)
    }

    fn read(&self, file: &Path) -> Result<Vec<Entry>, JournalError> {
        let bytes = fs::read(file).map_err(at(file))?;
        let lines = bytes.split(|byte| *byte == b'\n');
        let entries = lines.filter_map(|line| serde_json::from_slice::<Entry>(line).ok());
        let ours = entries.filter(|entry| entry.owner.agent == self.owner.agent);
        Ok(unsettled(ours))
    }
}

/// Entries that were written down and not taken away again since.
fn unsettled(entries: impl Iterator<Item = Entry>) -> Vec<Entry> {
    let mut open: Vec<Entry> = Vec::new();
    for entry in entries {
        if entry.settled {
            open.retain(|known| known.run != entry.run || known.item != entry.item);
        } else {
            open.push(entry);
        }
    }
    open
}

fn at(path: &Path) -> impl Fn(io::Error) -> JournalError + use<> {
    let path = path.to_owned();
    move |source| JournalError {
        path: path.clone(),
        source,
    }
}

/// Fails where the folder is another user's, who could go on writing to it, or a link to somewhere else.
fn make_private(folder: &Path) -> io::Result<()> {
    let metadata = fs::symlink_metadata(folder)?;
    if !metadata.is_dir() {
        return Err(io::ErrorKind::NotADirectory.into());
    }
    if metadata.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, Permissions::from_mode(0o700))
}

fn prefix(agent: &str) -> String {
    format!("{}-", hash(agent))
}

/// A name for a file that is safe and not longer than it must be.
fn hash(text: &str) -> String {
    Digest::of(text.as_bytes()).short().to_owned()
}

#[cfg(test)]
mod tests;
