use std::io;
use std::path::PathBuf;

use crate::adapters::engine::error::failure::EngineError;
use crate::domain::assembly::folder_item::FolderError;
use crate::domain::image::proof::{Deviation, ProofError};
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// Paths that a failure shows.
pub(super) const SHOWN: usize = 10;

/// A result of falconutil that is not pushed.
#[derive(Debug, thiserror::Error)]
pub(in crate::flow::run) enum ResultError {
    /// It has files that are not of the sensor alone.
    #[error("falconutil added files outside of `/opt/CrowdStrike`: {}", shown(paths, *count))]
    ForeignFiles {
        /// The first of their paths.
        paths: Vec<String>,
        /// The number of all of them.
        count: usize,
    },
    /// It lacks the program that it starts.
    #[error("The patched image has no sensor: {why}")]
    NoSensor {
        /// The part that is missing.
        why: String,
    },
    /// The engine's account of it cannot be checked.
    #[error("The files that falconutil added cannot be read: {why}")]
    Unreadable {
        /// The reason.
        why: String,
    },
}

fn shown(paths: &[String], count: usize) -> String {
    let list: Vec<String> = paths.iter().map(|path| format!("`{path}`")).collect();
    match count.saturating_sub(paths.len()) {
        0 => list.join(", "),
        more => format!("{} and {more} more", list.join(", ")),
    }
}

impl Explain for ResultError {
    fn code(&self) -> Code {
        match self {
            Self::ForeignFiles { .. } => Code::FalconutilForeignFiles,
            Self::NoSensor { .. } | Self::Unreadable { .. } => Code::FalconutilResultUnexpected,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ForeignFiles { .. } => "Do not deploy what falconutil built; look whether the sensor image is CrowdStrike's own, and whether the source has `ONBUILD` triggers",
            Self::NoSensor { .. } => "Look whether the sensor image is CrowdStrike's own, and try another sensor version",
            Self::Unreadable { .. } => "Run the step again; if it fails in the same way, report it with the versions of engine and sensor",
        }.to_owned())
    }
}

/// A file that cannot be written to the agent's disk.
#[derive(Debug, thiserror::Error)]
#[error("Cannot write to `{path}`", path = path.display())]
pub(in crate::flow::run) struct SpoolError {
    pub(super) path: PathBuf,
    pub(super) source: io::Error,
}

impl Explain for SpoolError {
    fn code(&self) -> Code {
        Code::TaskFolderNotWritable
    }

    fn hint(&self) -> Option<String> {
        Some(
            "Make room on the agent's disk, and let the agent's user write to its temporary folder"
                .to_owned(),
        )
    }
}

/// Reason that no image was assembled.
pub(in crate::flow::run) enum NotAssembled {
    /// falconutil's result is not what it must be.
    Result(Problem),
    /// The engine failed.
    Engine(EngineError),
    /// Anything else.
    Other(Problem),
}

impl From<ResultError> for NotAssembled {
    fn from(error: ResultError) -> Self {
        Self::Result(error.into())
    }
}

impl From<ProofError> for NotAssembled {
    fn from(error: ProofError) -> Self {
        Self::Result(error.into())
    }
}

impl From<Deviation> for NotAssembled {
    fn from(why: Deviation) -> Self {
        ProofError::from(why).into()
    }
}

impl From<FolderError> for NotAssembled {
    fn from(error: FolderError) -> Self {
        let why = error.to_string();
        ResultError::Unreadable { why }.into()
    }
}

impl From<EngineError> for NotAssembled {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

impl From<Problem> for NotAssembled {
    fn from(problem: Problem) -> Self {
        Self::Other(problem)
    }
}

impl From<SpoolError> for NotAssembled {
    fn from(error: SpoolError) -> Self {
        Self::Other(error.into())
    }
}

impl From<NotAssembled> for Problem {
    fn from(error: NotAssembled) -> Self {
        match error {
            NotAssembled::Result(problem) | NotAssembled::Other(problem) => problem,
            NotAssembled::Engine(error) => error.into(),
        }
    }
}
