//! The answers of a search, and the reasons for them.

use std::fmt;
use std::io;

use super::limits::{NAMES_LIMIT, PACKED_LIMIT, UNPACKED_LIMIT, gibibytes, mebibytes};
use crate::domain::reference::digest::Digest;
use crate::report::cause::Cause;

/// Answer to the question whether the layers of an image hold its entrypoint's file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SensorFiles {
    /// The file is there, with content.
    Present(FoundFile),
    /// It is not there.
    Missing(Absence),
    /// The search ended before the answer was certain.
    Unknown(Obstacle),
}

/// The file that an entrypoint names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundFile {
    /// Its path, with all links followed.
    pub path: String,
    /// Its size in bytes.
    pub bytes: u64,
    /// The digest of the layer that holds it.
    pub layer: Digest,
}

/// The line of the log. Files that are present need not be the vendor's.
impl fmt::Display for FoundFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { path, bytes, layer } = self;
        write!(
            f,
            "Sensor files present: {path}, {bytes} bytes, in the layer {layer}"
        )
    }
}

/// Reason that the file is not there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Absence {
    /// No layer has it.
    #[error("none of the layers that were searched has `{path}`")]
    Nowhere {
        /// The path, with the links followed that are known.
        path: String,
    },
    /// A layer removes it, or hides it by what it has in the place of a folder.
    #[error("the layer {layer} removes or hides `{path}`")]
    Removed {
        /// The path that is removed.
        path: String,
        /// The layer.
        layer: Digest,
    },
    /// Something else is in its place.
    #[error("`{path}` is {kind}, by the layer {layer}")]
    Other {
        /// The path.
        path: String,
        /// Kind of what is there, with its article.
        kind: &'static str,
        /// The layer.
        layer: Digest,
    },
    /// An added layer has other files too.
    #[error("the layer {layer} has `{path}`, which is not of the sensor")]
    Foreign {
        /// The first such path.
        path: String,
        /// The layer.
        layer: Digest,
    },
    /// Its links lead nowhere.
    #[error("the links of `{path}` lead in a circle, or there are more than 40 of them")]
    Circle {
        /// The path.
        path: String,
    },
}

/// Reason that a search ends without an answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Obstacle {
    /// The layers to be read are too large as the registry has them.
    #[error(
        "the layers down to {layer} have more than {} GiB, the most that the search reads",
        gibibytes(PACKED_LIMIT)
    )]
    PackedLimit {
        /// The layer that is too much.
        layer: Digest,
    },
    /// The layers that were read are too large when they are unpacked.
    #[error(
        "the layers that were read have more than {} GiB unpacked, the most that the search reads",
        gibibytes(UNPACKED_LIMIT)
    )]
    UnpackedLimit,
    /// The layers that were read have too many files.
    #[error(
        "the names of the files in the layers that were read take more than {} MiB, the most that the search keeps",
        mebibytes(NAMES_LIMIT)
    )]
    NamesLimit,
    /// The registry need not have the layer.
    #[error("the layer {layer} is kept outside of the registry, and is not read")]
    Foreign {
        /// The layer.
        layer: Digest,
    },
    /// The layer is of an unknown kind, perhaps an encrypted one.
    #[error("the layer {layer} is of the type `{media_type}`, which cannot be read")]
    MediaType {
        /// The layer.
        layer: Digest,
        /// Its media type.
        media_type: String,
    },
    /// The layer is not what the configuration names.
    #[error("the layer {layer} unpacks to {found}, and the configuration names {expected}")]
    DiffId {
        /// The layer.
        layer: Digest,
        /// The digest of its unpacked bytes.
        found: Digest,
        /// The digest that these should have.
        expected: String,
    },
    /// The layer cannot be unpacked.
    #[error("a layer cannot be unpacked: {0}")]
    Unreadable(String),
    /// Nothing says from which folder the path begins.
    #[error("the entrypoint `{0}` is not an absolute path")]
    NotAbsolute(String),
    /// Manifest and configuration do not agree on the layers.
    #[error("the configuration names {named} layers, and the manifest {listed}")]
    LayersDiffer {
        /// Number in the configuration.
        named: usize,
        /// Number in the manifest.
        listed: usize,
    },
}

impl Obstacle {
    pub(super) fn unreadable(why: &str) -> Self {
        Self::Unreadable(Cause::said(why).to_string())
    }

    /// Returns true if nothing more may be read.
    pub(super) fn is_limit(&self) -> bool {
        matches!(
            self,
            Self::PackedLimit { .. } | Self::UnpackedLimit | Self::NamesLimit
        )
    }
}

impl From<io::Error> for Obstacle {
    fn from(error: io::Error) -> Self {
        let own = error.get_ref().and_then(|inner| inner.downcast_ref());
        own.cloned()
            .unwrap_or_else(|| Self::Unreadable(Cause::of(&error).to_string()))
    }
}
