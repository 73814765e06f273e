//! A registry of the run's own, in a container, that the images go through on their way into the engine.
//!
//! falconutil then only sees images of one platform each, in a registry of this machine that asks for no sign-in.

use crate::error::{Code, Explain};
use crate::reference::{Digest, Repository};

/// The port that Distribution's registry listens on in its container.
pub const PORT: u16 = 5000;

/// Where the staged images are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Staged {
    /// The source's repository.
    pub source: Repository,
    /// The digest of the source's manifest, which is for linux/arm64 alone.
    pub source_digest: Digest,
    /// The sensor's repository; its digests are what they were.
    pub sensor: Repository,
}

/// Why there is no registry.
#[derive(Debug, thiserror::Error)]
pub enum StagingError {
    /// Its container ended.
    #[error("The local registry of `{image}` ended with exit code {exit_code}")]
    Ended {
        /// The image.
        image: String,
        /// The exit code.
        exit_code: i64,
        /// What it wrote last.
        #[source]
        why: crate::cause::Cause,
    },
    /// Its container runs, and nobody answers.
    #[error("The local registry of `{image}` does not answer")]
    Silent {
        /// The image.
        image: String,
    },
}

impl Explain for StagingError {
    fn code(&self) -> Code {
        Code::EngineStagingFailed
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ended { .. } => "Set `stagingRegistryImage` to an image of Distribution's registry, such as `registry:2` with its digest, or leave `stagingRegistry` at `none`",
            Self::Silent { .. } => "The step has to run on the engine's own machine (in a container job, give it `target: host`), and the image has to be Distribution's registry, which listens on port 5000; or leave `stagingRegistry` at `none`",
        }.to_owned())
    }
}
