//! Removal of what a run created for itself.

use std::io;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::adapters::engine::client::Engine;
use crate::adapters::engine::image::Removal;
use crate::adapters::journal::{Journal, JournalItem};
use crate::report::code::Code;
use crate::report::event::{Event, Events};

/// The agent kills the process 7.5 s after it asked for an end, so cleaning up must take less.
const BUDGET: Duration = Duration::from_secs(5);

/// Tries to remove a name of an image that a container uses. Only containers of the run use its names, and the engine
/// may still be removing one.
const TRIES: usize = 10;

const BETWEEN_TRIES: Duration = Duration::from_millis(200);

/// One thing to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// A container by its name.
    Container(String),
    /// An image's name in the engine.
    Image(String),
    /// A folder.
    Folder(PathBuf),
    /// A file.
    File(PathBuf),
}

/// A stack of things to undo, each put there before the thing is created.
#[derive(Debug, Default)]
pub struct Cleanup(Mutex<Vec<Undo>>);

impl Cleanup {
    /// Puts `undo` on the stack.
    pub fn push(&self, undo: Undo) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(undo);
    }

    /// Removes `undo` from the stack, so that its thing stays. Returns false if it is not there.
    pub fn keep(&self, undo: &Undo) -> bool {
        let mut stack = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = stack.len();
        stack.retain(|known| known != undo);
        stack.len() < before
    }

    /// Undoes everything at the end of a run, and warns of each thing that is left.
    pub(super) async fn finish(
        &self,
        engine: Option<&Engine>,
        journal: (&Journal, &str),
        events: &Events,
    ) -> Vec<String> {
        let left = self.run(engine, journal, BUDGET).await;
        for thing in &left {
            events.send(Event::Warning {
                code: Code::TaskLeftovers,
                message: format!("Could not remove {thing}"),
                hint: Some("The step at the end of the job will try again".to_owned()),
            });
        }
        left
    }

    /// Undoes everything, the last first, within `budget`.
    ///
    /// Returns a sentence for each thing that is left; it never fails, since the run's own result comes first.
    pub async fn run(
        &self,
        engine: Option<&Engine>,
        (journal, run): (&Journal, &str),
        budget: Duration,
    ) -> Vec<String> {
        let mut stack = std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner));
        let deadline = tokio::time::Instant::now() + budget;
        let mut left = Vec::new();
        while let Some(undo) = stack.pop() {
            match tokio::time::timeout_at(deadline, undo.apply(engine)).await {
                Ok(Ok(())) => {
                    if let Some(item) = undo.journalled() {
                        // A line too many in the journal only makes the sweep look for something that does not exist.
                        let _ = journal.settle(run, item);
                    }
                }
                Ok(Err(why)) => left.push(format!("{}: {why}", undo.describe())),
                Err(_) => left.push(format!("{}: no time left", undo.describe())),
            }
        }
        left
    }
}

impl Undo {
    /// Undoes it, or returns the reason why it is left.
    async fn apply(&self, engine: Option<&Engine>) -> Result<(), String> {
        let undone = match (self, engine) {
            (Self::Container(name), Some(engine)) => engine.remove_container(name).await,
            (Self::Image(name), Some(engine)) => return remove_name(engine, name).await,
            (Self::Folder(path), _) => return removed(tokio::fs::remove_dir_all(path).await),
            (Self::File(path), _) => return removed(tokio::fs::remove_file(path).await),
            (_, None) => Ok(()),
        };
        undone.map_err(|error| error.to_string())
    }

    fn journalled(&self) -> Option<JournalItem> {
        match self {
            Self::Image(name) => Some(JournalItem::Tag {
                reference: name.clone(),
            }),
            Self::Folder(path) => Some(JournalItem::Folder { path: path.clone() }),
            Self::File(path) => Some(JournalItem::File { path: path.clone() }),
            Self::Container(_) => None,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Container(name) => format!("container `{name}`"),
            Self::Image(name) => format!("image name `{name}`"),
            Self::Folder(path) => format!("folder `{}`", path.display()),
            Self::File(path) => format!("file `{}`", path.display()),
        }
    }
}

/// Removes the name of an image, or returns the reason why it is left.
async fn remove_name(engine: &Engine, name: &str) -> Result<(), String> {
    let mut used = String::new();
    for _ in 0..TRIES {
        match engine.remove_image(name).await {
            Ok(Removal::Removed | Removal::Absent) => return Ok(()),
            Ok(Removal::InUse { message }) => used = message,
            Err(error) => return Err(error.to_string()),
        }
        tokio::time::sleep(BETWEEN_TRIES).await;
    }
    Err(used)
}

/// Something that does not exist needs no removal.
fn removed(result: io::Result<()>) -> Result<(), String> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.to_string()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cleanup, Undo};
    use crate::adapters::engine::client::{Engine, EngineSettings};
    use crate::adapters::journal::Journal;
    use crate::domain::agent::Owner;
    use crate::test_support::loopback_server::{LoopbackServer, Reply};
    use std::time::Duration;

    #[tokio::test]
    async fn a_name_that_a_container_still_has_is_tried_again() {
        for (uses, is_left) in [(0, false), (3, false), (usize::MAX, true)] {
            let server = LoopbackServer::start(move |_, tries| {
                if tries < uses {
                    return Reply::new(409, &[], r#"{"message":"a container is using it"}"#);
                }
                Reply::new(200, &[], "[]")
            })
            .await;
            let settings = EngineSettings {
                docker_host: Some(format!("tcp://{}", server.host())),
                docker_certificates: None,
                in_container_job: false,
            };
            let engine = Engine::connect(&settings).expect("an address");
            let place = tempfile::tempdir().expect("a folder");
            let owner = Owner {
                agent: "agent".to_owned(),
                job: "job".to_owned(),
            };
            let journal = Journal::open(&place.path().join("journal"), &owner).expect("a journal");
            let name = Undo::Image("falcon-patch.invalid/0123:patched".to_owned());
            let item = name.journalled().expect("an item");
            journal.record("0123", item).expect("a line");
            let cleanup = Cleanup::default();
            cleanup.push(name);
            let left = cleanup.run(Some(&engine), (&journal, "0123"), Duration::from_secs(5));
            assert_eq!(left.await.len(), usize::from(is_left), "{uses}");
            let entries = journal.entries_of("job").expect("entries");
            assert_eq!(entries.len(), usize::from(is_left), "{uses}");
        }
    }

    #[tokio::test]
    async fn a_folder_that_cannot_be_removed_is_left_in_the_journal() {
        let place = tempfile::tempdir().expect("a folder");
        let owner = Owner {
            agent: "agent".to_owned(),
            job: "job".to_owned(),
        };
        let journal = Journal::open(&place.path().join("journal"), &owner).expect("a journal");
        let file = place.path().join("file");
        std::fs::write(&file, "").expect("a file");
        // A path below a file cannot be removed, also not by root; a missing one needs no removal.
        let (stuck, missing) = (
            Undo::Folder(file.join("x")),
            Undo::File(place.path().join("no")),
        );
        let cleanup = Cleanup::default();
        for undo in [&stuck, &missing] {
            let item = undo.journalled().expect("an item");
            journal.record("run", item).expect("a line");
            cleanup.push(undo.clone());
        }
        let left = cleanup.run(None, (&journal, "run"), Duration::from_secs(5));
        let left = left.await;
        assert_eq!(left.len(), 1);
        assert!(left[0].starts_with("folder `"), "{left:?}");
        let entries = journal.entries_of("job").expect("entries");
        let items: Vec<_> = entries.into_iter().map(|entry| Some(entry.item)).collect();
        assert_eq!(items, [stuck.journalled()]);
    }
}
