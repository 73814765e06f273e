//! The changes that a run leaves behind.

use std::fmt;
use std::path::PathBuf;

use crate::domain::builder::BuilderName;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// A change that outlives the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The target's repository was created.
    RepositoryCreated {
        /// The repository.
        repository: Repository,
    },
    /// A tag of the target repository names the patched image now.
    TagPushed {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// The digest of its manifest.
        digest: Digest,
    },
    /// The registry holds the patched image, and no tag names it yet.
    ManifestPushed {
        /// The repository.
        repository: Repository,
        /// The digest of its manifest.
        digest: Digest,
    },
    /// Layers were being uploaded when the run ended, and no manifest refers to them yet.
    UploadInterrupted {
        /// The repository.
        repository: Repository,
    },
    /// The registry keeps a record of the image's provenance.
    ProvenanceRecorded {
        /// The repository.
        repository: Repository,
        /// The record's manifest.
        digest: Digest,
    },
    /// A push had begun when the run ended; the tag may or may not be there.
    PushInterrupted {
        /// The repository.
        repository: Repository,
        /// The tag that was being pushed.
        tag: Tag,
    },
    /// The mirror holds another sensor.
    SensorCopied {
        /// The mirror.
        repository: Repository,
        /// The sensor's tag.
        tag: Tag,
        /// The digest of its manifest.
        digest: Digest,
    },
    /// Copying the sensor had begun when the run ended; parts of it may be there without a tag.
    CopyInterrupted {
        /// The mirror.
        repository: Repository,
        /// The sensor's tag.
        tag: Tag,
    },
    /// The kernel runs ARM64 programs until it restarts.
    EmulatorInstalled {
        /// The emulator image that registered the handler.
        image: String,
    },
    /// The job's later steps have a buildx builder.
    BuilderCreated {
        /// Its name.
        name: BuilderName,
    },
    /// The patched image stays in the engine because `keepLocalImages` is true.
    ImageKept {
        /// Its name in the engine.
        name: String,
    },
    /// The ECS task definition was written.
    TaskDefinitionWritten {
        /// The file.
        path: PathBuf,
    },
    /// The ECS task definition was registered.
    TaskDefinitionRegistered {
        /// The ARN of the new revision.
        arn: String,
    },
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepositoryCreated { repository } => {
                write!(f, "created the repository `{repository}`")
            }
            Self::TagPushed {
                repository,
                tag,
                digest,
            } => {
                write!(f, "pushed `{}` ({digest})", repository.tagged(tag))
            }
            Self::ManifestPushed { repository, digest } => {
                write!(f, "pushed `{}`, which no tag names", repository.at(digest))
            }
            Self::UploadInterrupted { repository } => write!(
                f,
                "began to upload layers to `{repository}`, to which no image refers yet"
            ),
            Self::ProvenanceRecorded { repository, digest } => {
                write!(f, "recorded its provenance as `{}`", repository.at(digest))
            }
            Self::PushInterrupted { repository, tag } => write!(
                f,
                "began to push `{}`, which may be there in part or whole",
                repository.tagged(tag)
            ),
            Self::SensorCopied {
                repository,
                tag,
                digest,
            } => write!(
                f,
                "copied the sensor to `{}` ({digest})",
                repository.tagged(tag)
            ),
            Self::CopyInterrupted { repository, tag } => write!(
                f,
                "began to copy the sensor to `{}`, of which parts may be there",
                repository.tagged(tag)
            ),
            Self::EmulatorInstalled { image } => {
                write!(
                    f,
                    "registered the ARM64 emulator of `{image}`, which stays until the machine restarts"
                )
            }
            Self::BuilderCreated { name } => write!(
                f,
                "created the buildx builder `{name}`, which stays until the end of the job"
            ),
            Self::ImageKept { name } => write!(f, "kept `{name}` in the engine"),
            Self::TaskDefinitionWritten { path } => {
                write!(f, "wrote `{}`", path.display())
            }
            Self::TaskDefinitionRegistered { arn } => write!(f, "registered `{arn}`"),
        }
    }
}
