//! What a run made for itself and takes away again.

use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::adapters::engine::client::Engine;
use crate::adapters::journal::{Journal, JournalItem};
use crate::report::problem::Problem;

/// One thing to take away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Undo {
    /// A container by its name.
    Container(String),
    /// An image's name in the engine.
    Image(String),
    /// A name in the engine that another image had before.
    Retag {
        /// The ID of the image that had it.
        image: String,
        /// The repository part of the name.
        repository: String,
        /// The tag part of the name.
        tag: String,
    },
    /// A folder.
    Folder(PathBuf),
}

/// A stack of things to take away, each put there before the thing is made.
#[derive(Debug, Default)]
pub struct Cleanup(Mutex<Vec<Undo>>);

impl Cleanup {
    /// Has `undo` done at the end, before everything put here earlier.
    pub fn push(&self, undo: Undo) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(undo);
    }

    /// Lets something stay after all; tells whether it was to go.
    pub fn keep(&self, undo: &Undo) -> bool {
        let mut stack = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let before = stack.len();
        stack.retain(|known| known != undo);
        stack.len() < before
    }

    /// Takes everything away, the last first, within `budget`.
    ///
    /// Returns what is left, a sentence each; it never fails, since the run's own result comes first.
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
                        // A line too many in the journal only makes the sweep look for what is gone.
                        let _ = journal.settle(run, item);
                    }
                }
                Ok(Err(problem)) => left.push(format!("{}: {}", undo.what(), problem.what)),
                Err(_) => left.push(format!("{}: no time left", undo.what())),
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
                // A folder that is gone already is what was wanted.
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

    fn what(&self) -> String {
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
