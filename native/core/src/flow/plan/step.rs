//! The steps that a run consists of.

use std::fmt;

use crate::domain::builder::BuilderName;
use crate::domain::image::former_image::FormerImage;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::{PinnedImage, Strategy};
use crate::flow::facts::sensor::SensorCopy;

/// One thing to do, with everything that the plan has decided for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Bring an image into the engine by digest.
    Pull(Pull),
    /// Copy the sensor from CrowdStrike's registry into the mirror.
    CopySensor(SensorCopy),
    /// Fetch the native falconutil out of the layers of its image, so that the image need not be pulled.
    FetchFalconutil(NativeProgram),
    /// Register the ARM64 emulator with the kernel.
    InstallEmulator(PinnedImage),
    /// Start a registry on the agent and copy source and sensor into it.
    Stage(PinnedImage),
    /// Create a buildx builder for the later steps of the job.
    CreateBuilder(BuilderName),
    /// Run an ARM64 program as a probe.
    ProbeArm64 {
        /// The sensor image for ARM64.
        image: String,
    },
    /// Run a falconutil as a probe for its flags.
    ProbeFalconutil(Falconutil),
    /// Run falconutil on the source.
    Patch(Falconutil),
    /// Run falconutil on a stub of the source, read the layer that it adds, and compare the result with the source.
    Graft(Falconutil),
    /// Take the sensor's files out of the patched image in the engine, put them on the source, and compare.
    Assemble,
    /// Create the target's repository.
    CreateRepository {
        /// The repository.
        repository: Repository,
    },
    /// Push the assembled image, without a tag.
    PushImage {
        /// The target's repository.
        repository: Repository,
    },
    /// Read the pushed image back by digest and compare it with the source.
    ReadBack,
    /// Record the image's source, sensor and options beside it.
    RecordProvenance,
    /// Keep a graft as an entry of the cache.
    KeepGraft {
        /// The target's repository.
        repository: Repository,
        /// The tag of the entry.
        tag: Tag,
    },
    /// Add one more tag to the image.
    AddTag {
        /// The target's repository.
        repository: Repository,
        /// The tag.
        tag: Tag,
        /// The image that it names now.
        former: Option<FormerImage>,
    },
    /// Bring the pushed image into the engine, under the target's name.
    KeepImage {
        /// The target's repository.
        repository: Repository,
        /// The target's tag.
        tag: Tag,
    },
    /// Write the ECS task definition with the patched image in it.
    WriteTaskDefinition,
    /// Register the ECS task definition that was written.
    RegisterTaskDefinition,
}

/// An image to bring into the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pull {
    /// The use of the image.
    pub role: Role,
    /// Its repository.
    pub repository: Repository,
    /// The digest of the manifest for one platform.
    pub digest: Digest,
}

/// The use of an image in the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// The image to patch.
    Source,
    /// The sensor for ARM64, whose files the patched image gets.
    Sensor,
    /// The sensor for the engine's own platform, whose falconutil runs natively.
    NativeSensor,
}

/// The falconutil of the engine's own platform, as its image in the registry has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NativeProgram {
    /// The sensor's repository.
    pub repository: Repository,
    /// The digest of the sensor image for the engine's own platform.
    pub image: Digest,
    /// That platform.
    pub platform: Platform,
}

/// A falconutil: the sensor image in which it runs, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Falconutil {
    /// The sensor image by digest.
    pub image: String,
    /// The program that runs there instead of the image's own; none for the image's own.
    pub program: Option<NativeProgram>,
    /// True for the ARM64 program.
    pub arm64: bool,
    /// True if it runs under emulation.
    pub emulated: bool,
    /// True if a probe has shown that it knows `--platform`.
    pub knows_platform: bool,
}

impl Step {
    /// The step in which falconutil works.
    pub(super) fn patch_by(strategy: Strategy, falconutil: Falconutil) -> Self {
        match strategy {
            Strategy::Full => Self::Patch(falconutil),
            Strategy::Graft => Self::Graft(falconutil),
        }
    }

    /// Checks that the step does something with the engine.
    #[must_use]
    pub fn uses_engine(&self) -> bool {
        match self {
            Self::Pull(_)
            | Self::InstallEmulator(_)
            | Self::Stage(_)
            | Self::CreateBuilder(_)
            | Self::ProbeArm64 { .. }
            | Self::ProbeFalconutil(_)
            | Self::Patch(_)
            | Self::Graft(_)
            | Self::Assemble
            | Self::KeepImage { .. } => true,
            Self::CopySensor(_)
            | Self::FetchFalconutil(_)
            | Self::CreateRepository { .. }
            | Self::PushImage { .. }
            | Self::ReadBack
            | Self::RecordProvenance
            | Self::KeepGraft { .. }
            | Self::AddTag { .. }
            | Self::WriteTaskDefinition
            | Self::RegisterTaskDefinition => false,
        }
    }

    /// Checks that another step of the same stage must be done before this one begins.
    #[must_use]
    pub fn needs(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Pull(pull), Self::CopySensor(_)) => pull.role != Role::Source,
            (Self::Stage(_) | Self::FetchFalconutil(_), Self::CopySensor(_))
            | (Self::ProbeArm64 { .. }, Self::InstallEmulator(_)) => true,
            (
                Self::ProbeArm64 { image } | Self::ProbeFalconutil(Falconutil { image, .. }),
                Self::Pull(pull),
            ) => *image == pull.repository.at(&pull.digest),
            (
                Self::ProbeFalconutil(Falconutil {
                    program: Some(program),
                    ..
                }),
                Self::FetchFalconutil(fetched),
            ) => program == fetched,
            _ => false,
        }
    }
}

impl fmt::Display for Falconutil {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.emulated {
            "the ARM64 falconutil under emulation"
        } else {
            "the native falconutil"
        })
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pull(Pull {
                role,
                repository,
                digest,
            }) => {
                let what = match role {
                    Role::Source => "source image",
                    Role::Sensor => "sensor image (linux/arm64)",
                    Role::NativeSensor => "sensor image (the agent's platform)",
                };
                write!(f, "Pull the {what} {}@{}", repository.name, digest.short())
            }
            Self::CopySensor(copy) => write!(
                f,
                "Copy the sensor {}@{} to {}",
                copy.from,
                copy.digest.short(),
                copy.to.tagged(&copy.tag)
            ),
            Self::FetchFalconutil(program) => write!(
                f,
                "Fetch falconutil out of the native sensor image {}@{}",
                program.repository.name,
                program.image.short()
            ),
            Self::InstallEmulator(image) => {
                write!(f, "Install the ARM64 emulator of {}", image.repository)
            }
            Self::Stage(image) => write!(
                f,
                "Stage source and sensor in a local registry of {}",
                image.repository
            ),
            Self::CreateBuilder(name) => {
                write!(f, "Create the buildx builder `{name}` for linux/arm64")
            }
            Self::ProbeArm64 { .. } => f.write_str("Check that ARM64 programs run"),
            Self::ProbeFalconutil(falconutil) => write!(f, "Ask {falconutil} for its flags"),
            Self::Patch(falconutil) => write!(f, "Patch with {falconutil}"),
            Self::Graft(falconutil) => {
                write!(f, "Patch a stub of the source with {falconutil}")
            }
            Self::Assemble => {
                f.write_str("Put the sensor's files on the source and compare the images")
            }
            Self::CreateRepository { repository } => {
                write!(f, "Create the repository {repository}")
            }
            Self::PushImage { repository } => write!(f, "Push the image to {repository}"),
            Self::ReadBack => f.write_str("Read the pushed image back"),
            Self::RecordProvenance => f.write_str("Record what the image was made of"),
            Self::KeepGraft { tag, .. } => write!(f, "Keep the graft for later runs as {tag}"),
            Self::AddTag {
                tag,
                former: Some(former),
                ..
            } => write!(f, "Add the tag {tag}, which {former}"),
            Self::AddTag { tag, .. } => write!(f, "Add the tag {tag}"),
            Self::KeepImage { repository, tag } => write!(
                f,
                "Pull the pushed image, and keep it as {}",
                repository.tagged(tag)
            ),
            Self::WriteTaskDefinition => f.write_str("Write the ECS task definition"),
            Self::RegisterTaskDefinition => f.write_str("Register the ECS task definition"),
        }
    }
}
