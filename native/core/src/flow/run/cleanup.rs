//! Removal of what a run created for itself.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::adapters::engine::client::Engine;
use crate::adapters::journal::{Journal, JournalItem};
use crate::report::problem::Problem;

/// One thing to undo.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// A container by its name.
    Container(String),
    /// An image's name in the engine.
    Image(String),
    /// A name in the engine that belonged to another image.
    Retag {
        /// The ID of that image.
        image: String,
        /// The repository part of the name.
        repository: String,
        /// The tag part of the name.
        tag: String,
    },
    /// A folder.
    Folder(PathBuf),
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
                Ok(Err(problem)) => left.push(format!("{}: {}", undo.describe(), problem.what)),
                Err(_) => left.push(format!("{}: no time left", undo.describe())),
            }
        }
        left
    }
}

impl Undo {
    async fn apply(&self, engine: Option<&Engine>) -> Result<(), Problem> {
        match (self, engine) {
            (Self::Container(name), Some(engine)) => engine.remove_container(name).await?,
            (Self::Image(name), Some(engine)) => {
                engine.remove_image(name).await?;
            }
            (
                Self::Retag {
                    image,
                    repository,
                    tag,
                },
                Some(engine),
            ) => engine.tag(image, repository, tag).await?,
            (Self::Folder(path), _) => {
                // A folder that does not exist needs no removal.
                let _ = tokio::fs::remove_dir_all(path).await;
            }
            (_, None) => {}
        }
        Ok(())
    }

    fn journalled(&self) -> Option<JournalItem> {
        match self {
            Self::Image(name) => Some(JournalItem::Tag {
                reference: name.clone(),
            }),
            Self::Folder(path) => Some(JournalItem::Folder { path: path.clone() }),
            Self::Container(_) | Self::Retag { .. } => None,
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Container(name) => format!("container `{name}`"),
            Self::Image(name) => format!("image name `{name}`"),
            Self::Retag {
                repository, tag, ..
            } => format!("former image of `{repository}:{tag}`"),
            Self::Folder(path) => format!("folder `{}`", path.display()),
        }
    }
}
