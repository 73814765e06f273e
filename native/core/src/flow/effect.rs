//! The changes that a run leaves behind.
//!
//! A request that changes something has two effects: one that it may have happened, from before it is sent, and one
//! that it has, once its answer is known. So a run that ends between the two never denies what it did.

use std::fmt;
use std::path::PathBuf;

use crate::domain::builder::BuilderName;
use crate::domain::ecs::deployment::change::DeploymentChange;
use crate::domain::image::former_image::FormerImage;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// A change that outlives the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// The target's repository was being created; it may be there.
    RepositoryBegun {
        /// The repository.
        repository: Repository,
    },
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
        /// The image that the tag named before, if it was another.
        replaced: Option<FormerImage>,
    },
    /// A tag of the target repository was being put on an image that is there; it may name it.
    TagBegun {
        /// The repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// The digest of the image's manifest.
        digest: Digest,
    },
    /// An image was being pushed by its digest; parts of it may be there, or all.
    ImageBegun {
        /// The repository.
        repository: Repository,
        /// The digest of its manifest.
        digest: Digest,
    },
    /// The registry holds the patched image, on which the run has put no tag.
    ManifestPushed {
        /// The repository.
        repository: Repository,
        /// The digest of its manifest.
        digest: Digest,
    },
    /// The provenance of an image was being recorded; the record may be there.
    RecordBegun {
        /// The repository.
        repository: Repository,
    },
    /// The registry keeps a record of the image's provenance.
    ProvenanceRecorded {
        /// The repository.
        repository: Repository,
        /// The record's manifest.
        digest: Digest,
        /// The tag of the list that names the record, where the registry keeps none of its own.
        list: Option<Tag>,
    },
    /// A graft was being kept as an entry of the cache; the entry may be there.
    EntryBegun {
        /// The repository.
        repository: Repository,
        /// The entry's tag.
        tag: Tag,
    },
    /// The repository has an entry of the graft cache.
    EntryKept {
        /// The repository.
        repository: Repository,
        /// The entry's tag.
        tag: Tag,
        /// The digest of the entry's manifest.
        digest: Digest,
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
    /// The sensor was being copied; it may be there in part or whole.
    CopyBegun {
        /// The mirror.
        repository: Repository,
        /// The sensor's tag.
        tag: Tag,
    },
    /// An emulator was being registered; the kernel may run ARM64 programs until it restarts.
    EmulatorBegun {
        /// The emulator image that registers the handler.
        image: String,
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
    /// The ECS task definition was being written; the file may be there.
    TaskDefinitionBegun {
        /// The file.
        path: PathBuf,
    },
    /// The ECS task definition was written.
    TaskDefinitionWritten {
        /// The file.
        path: PathBuf,
    },
    /// The ECS task definition was being registered; there may be a new revision.
    RegistrationBegun {
        /// The family.
        family: String,
    },
    /// The ECS task definition was registered.
    TaskDefinitionRegistered {
        /// The ARN of the new revision.
        arn: String,
    },
    /// A deployment of an ECS service began, or may have.
    Deployment(DeploymentChange),
}

impl fmt::Display for Effect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RepositoryBegun { repository } => {
                write!(f, "may have created the repository `{repository}`")
            }
            Self::RepositoryCreated { repository } => {
                write!(f, "created the repository `{repository}`")
            }
            Self::TagPushed {
                repository,
                tag,
                digest,
                replaced,
            } => {
                write!(f, "pushed `{}` ({digest})", repository.tagged(tag))?;
                replaced
                    .iter()
                    .try_for_each(|former| write!(f, ", which {former}"))
            }
            Self::TagBegun {
                repository,
                tag,
                digest,
            } => write!(
                f,
                "pushed `{}`, and may have put the tag `{tag}` on it",
                repository.at(digest)
            ),
            Self::ImageBegun { repository, digest } => write!(
                f,
                "began to push `{}`, which may be there in part or whole, without a tag",
                repository.at(digest)
            ),
            Self::ManifestPushed { repository, digest } => write!(
                f,
                "pushed `{}`, and put no tag on it",
                repository.at(digest)
            ),
            Self::RecordBegun { repository } => write!(
                f,
                "may have recorded the image's provenance in `{repository}`"
            ),
            Self::ProvenanceRecorded {
                repository,
                digest,
                list,
            } => {
                write!(f, "recorded its provenance as `{}`", repository.at(digest))?;
                match list {
                    Some(tag) => write!(f, ", listed under the tag `{tag}`"),
                    None => Ok(()),
                }
            }
            Self::EntryBegun { .. } | Self::EntryKept { .. } => self.fmt_entry(f),
            Self::SensorCopied {
                repository,
                tag,
                digest,
            } => write!(
                f,
                "copied the sensor to `{}` ({digest})",
                repository.tagged(tag)
            ),
            Self::CopyBegun { repository, tag } => write!(
                f,
                "began to copy the sensor to `{}`, which may be there in part or whole",
                repository.tagged(tag)
            ),
            Self::EmulatorBegun { image } => write!(
                f,
                "may have registered the ARM64 emulator of `{image}`, which would stay until the machine restarts"
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
            Self::TaskDefinitionBegun { path } => {
                write!(f, "may have written `{}`", path.display())
            }
            Self::TaskDefinitionWritten { path } => {
                write!(f, "wrote `{}`", path.display())
            }
            Self::RegistrationBegun { family } => write!(
                f,
                "may have registered a revision of the ECS task definition `{family}`"
            ),
            Self::TaskDefinitionRegistered { arn } => write!(f, "registered `{arn}`"),
            Self::Deployment(change) => change.fmt(f),
        }
    }
}

impl Effect {
    /// Describes an entry of the graft cache.
    fn fmt_entry(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EntryBegun { repository, tag } => {
                let entry = repository.tagged(tag);
                write!(f, "may have kept the graft for later runs as `{entry}`")
            }
            Self::EntryKept {
                repository,
                tag,
                digest,
            } => {
                let entry = repository.tagged(tag);
                write!(f, "kept the graft for later runs as `{entry}` ({digest})")
            }
            _ => Ok(()),
        }
    }
}
