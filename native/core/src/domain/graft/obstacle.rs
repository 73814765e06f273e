//! Obstacles that keep an image from being grafted.

/// Reason to patch in full; a phrase that goes on after a colon.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// There is no manifest that a layer could be put on.
    #[error("the source is in the engine and not in a registry")]
    SourceInEngine,
    /// The triggers would run on the stub's empty file system.
    #[error("the source has `ONBUILD` triggers, which need its files")]
    OnBuild,
    /// The engine did not take the stub, or did not give its layer.
    #[error("the engine does not go along: {0}")]
    Engine(String),
    /// falconutil needs more than the stub has.
    #[error("falconutil does not patch an image without files (exit code {exit_code})")]
    NotPatched {
        /// Exit code that it ended with.
        exit_code: i64,
    },
    /// The grafted image is not what it must be.
    #[error("the grafted image would be wrong: {0}")]
    Unproven(String),
}

impl Obstacle {
    /// The line that says so.
    #[must_use]
    pub fn describe(&self) -> String {
        format!("Grafting is not possible: {self}; using `strategy: full`")
    }
}
