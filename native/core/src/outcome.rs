//! How a run ends.

use std::fmt;
use std::path::PathBuf;

use crate::aws::Revision;
use crate::builder::{Builder, BuilderName};
use crate::error::Failure;
use crate::facts::Record;
use crate::reference::{Digest, Repository, Tag};

/// Something that a run changed in the world and that outlives it.
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
        /// What it names now.
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
    /// The registry keeps a record of what the image was made of.
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
    /// The mirror holds a sensor that it did not hold before.
    SensorCopied {
        /// The mirror.
        repository: Repository,
        /// The sensor's tag.
        tag: Tag,
        /// What the tag names now.
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
    BuilderMade {
        /// Its name.
        name: BuilderName,
    },
    /// The patched image stays in the engine because `keepLocalImages` asks for it.
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
                write!(
                    f,
                    "recorded what it was made of as `{}`",
                    repository.at(digest)
                )
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
            Self::BuilderMade { name } => write!(
                f,
                "made the buildx builder `{name}`, which stays until the end of the job"
            ),
            Self::ImageKept { name } => write!(f, "kept `{name}` in the engine"),
            Self::TaskDefinitionWritten { path } => {
                write!(f, "wrote `{}`", path.display())
            }
            Self::TaskDefinitionRegistered { arn } => write!(f, "registered `{arn}`"),
        }
    }
}

/// What a finished run produced, or what a plan would.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The repository of the patched image.
    pub target: Repository,
    /// The target's tag.
    pub target_tag: Tag,
    /// The digest of the patched image's manifest; none while it is only planned.
    pub digest: Option<Digest>,
    /// The source as a tag reference, or as the engine names it.
    pub source_name: String,
    /// The digest of the source's ARM64 manifest; none for an image of the engine.
    pub source_digest: Option<Digest>,
    /// The sensor as a tag reference.
    pub sensor_name: String,
    /// The digest of the sensor's ARM64 manifest.
    pub sensor_digest: Digest,
    /// The sensor's version, as far as its tag or label tells.
    pub sensor_version: Option<String>,
    /// Whether a new image was made, or would be.
    pub changed: bool,
    /// Compressed bytes of the source's layers, as far as known.
    pub source_bytes: Option<u64>,
    /// Compressed bytes of the patched image's layers.
    pub target_bytes: Option<u64>,
    /// The ECS task definition that names the patched image, where one was written.
    pub task_definition: Option<PathBuf>,
    /// What ECS made of it, where it was registered.
    pub revision: Option<Revision>,
    /// The buildx builder that later steps have.
    pub builder: Option<Builder>,
    /// What the run changed.
    pub effects: Vec<Effect>,
    /// What could not be cleaned up.
    pub cleanup: Vec<String>,
}

/// An image that was found to be patched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verified {
    /// Its repository.
    pub repository: Repository,
    /// The tag by which it was named; none where that was a digest.
    pub tag: Option<Tag>,
    /// The digest of its ARM64 manifest.
    pub digest: Digest,
    /// Whether it was named by an index, of which only the ARM64 image was looked at.
    pub from_index: bool,
    /// What it starts.
    pub entrypoint: Vec<String>,
    /// The sensor's version, where anything tells it.
    pub sensor_version: Option<String>,
    /// What the sensor takes for the cloud service, if the image says it.
    pub cloud_service: Option<String>,
    /// What the sensor takes for the container's name, if the image says it.
    pub container_name: Option<String>,
    /// Compressed bytes of its layers.
    pub bytes: u64,
    /// What it is a patch of, where that was asked.
    pub source: Option<VerifiedSource>,
    /// What the registry keeps of its making, if anything; of several records the one with the oldest sensor.
    pub record: Option<Record>,
    /// What it has beside source and sensor, a phrase each.
    pub more: Vec<String>,
}

/// The source that an image was compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedSource {
    /// Its name.
    pub name: String,
    /// The digest of its ARM64 manifest.
    pub digest: Digest,
}

/// A stage of a plan, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Forecast {
    /// Titles of the steps that would run side by side.
    pub steps: Vec<String>,
    /// The condition under which they would, where a probe decides it.
    pub only_if: Option<&'static str>,
}

/// The one result of a run.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It did what was asked.
    Done(Box<Outcome>),
    /// It looked, and says what it would do.
    Planned(Box<Outcome>, Vec<Forecast>),
    /// It found the image patched.
    Verified(Box<Verified>),
    /// It could not.
    Failed(Box<Failure>),
    /// It was stopped from outside.
    Cancelled {
        /// What had changed by then.
        effects: Vec<Effect>,
        /// What could not be cleaned up.
        cleanup: Vec<String>,
    },
}
