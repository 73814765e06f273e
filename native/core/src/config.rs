//! What the inputs mean, once nothing about them can be wrong.

mod aws;
mod builder;
mod check;
mod ecs;
mod falcon;
mod image;
mod read;
mod staging;
mod verify;

use std::path::PathBuf;

use check::Check;

use crate::aws::AwsSettings;
use crate::builder::BuilderName;
use crate::error::Problem;
use crate::falcon::{FalconApiSettings, FalconSettings, SensorVersion, VersionChoice};
use crate::inputs::Inputs;
use crate::journal::Owner;
use crate::provenance::Origin;
use crate::reference::{Digest, ImageName, Repository, Tag};

/// What the inputs ask for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// To patch an image, or to say what patching would do.
    Patch(Box<Config>),
    /// To tell whether an image is patched.
    Verify(Box<VerifyConfig>),
}

/// What is to be verified; nothing of the engine, and nothing secret but the sign-in.
#[derive(Clone, Debug)]
pub struct VerifyConfig {
    /// The image, by tag or digest.
    pub target: ImageName,
    /// What it has to be a patch of, if that is asked.
    pub source: Option<ImageName>,
    /// The oldest sensor that will do.
    pub minimum_sensor_version: Option<SensorVersion>,
    /// How to sign in to AWS.
    pub aws: AwsSettings,
    /// The account whose registry holds images named without one; none means the caller's.
    pub account: Option<String>,
}

/// How to patch, or what to plan.
#[derive(Clone, Debug)]
pub struct Config {
    /// Whether to patch or only to say what would be done.
    pub action: Action,
    /// The image to patch.
    pub source: Source,
    /// The sensor image.
    pub sensor: Sensor,
    /// The repository that gets the patched image; its registry may be left out.
    pub target: ImageName,
    /// The tag of the patched image.
    pub target_tag: Tag,
    /// Tags that the patched image gets as well.
    pub additional_tags: Vec<Tag>,
    /// What falconutil is told.
    pub falcon: FalconSettings,
    /// How to get at CrowdStrike's API; none where nothing is asked there.
    pub falcon_api: Option<FalconApiSettings>,
    /// How to sign in to AWS.
    pub aws: AwsSettings,
    /// The account whose registry holds images named without one; none means the caller's.
    pub account: Option<String>,
    /// Whether an image that is what a patch would make is left as it is.
    pub skip_unchanged: bool,
    /// Whether the target's repository is created where it is missing.
    pub create_repository: bool,
    /// Whether an emulator may be installed.
    pub emulation: Emulation,
    /// The image that installs it.
    pub emulator_image: PinnedImage,
    /// Which way an image is patched.
    pub strategy: Strategy,
    /// The registry that the images are staged in; none where the engine takes them from their own.
    pub staging_image: Option<PinnedImage>,
    /// The buildx builder that later steps get.
    pub builder: Option<BuilderName>,
    /// Whether the images stay in the engine.
    pub keep_local_images: bool,
    /// The ECS task definition that gets the image; none where none was given.
    pub task_definition: Option<TaskDefinitionFile>,
}

/// What is to be done with an ECS task definition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinitionFile {
    /// The file that is read.
    pub path: PathBuf,
    /// The file that is written; none for one in the agent's temporary folder.
    pub output: Option<PathBuf>,
    /// Whether what was written is registered as well.
    pub register: bool,
}

/// What the task does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// Patch, prove, push.
    Patch,
    /// Say what patching would do.
    Plan,
}

/// Which way an image is patched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// As a whole, in the engine.
    Full,
    /// By its manifest alone, in the registry, where nothing forbids it.
    Graft,
}

/// Where the image to patch is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a registry.
    Registry(ImageName),
    /// In the agent's engine, under the name that the engine knows.
    Engine(String),
}

/// Where the sensor comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// An image in a registry.
    Image(ImageName),
    /// CrowdStrike's registry.
    CrowdStrike {
        /// Which of its sensors.
        version: VersionChoice,
        /// The repository that it is copied to once and then used from.
        mirror: Option<ImageName>,
    },
}

/// Whether an emulator may be installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulation {
    /// Where none is registered.
    Auto,
    /// Not at all.
    Never,
}

/// An image that helps and is run as it is, so only its digest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedImage {
    /// Its repository.
    pub repository: Repository,
    /// Its digest.
    pub digest: Digest,
}

/// What the task knows of the agent and the job it runs in.
#[derive(Clone, Debug)]
pub struct Agent {
    /// The same for every run on one agent, and no other's.
    pub identity: String,
    /// The same for every step of one job, and no other's.
    pub job: String,
    /// A folder that the agent empties after each job.
    pub temp_folder: PathBuf,
    /// A folder that stays.
    pub work_folder: PathBuf,
    /// Whether the job runs in a container.
    pub in_container_job: bool,
    /// The engine's address, if it is not the usual one.
    pub docker_host: Option<String>,
    /// Where the run comes from, to be recorded.
    pub origin: Origin,
}

impl Config {
    /// The additional tags, without the target's own where a user named it twice.
    pub fn other_tags(&self) -> impl Iterator<Item = &Tag> {
        let tags = self.additional_tags.iter();
        tags.filter(|tag| **tag != self.target_tag)
    }
}

impl Agent {
    /// Whose things the journal and the labels say they are.
    #[must_use]
    pub fn owner(&self) -> Owner {
        Owner {
            agent: self.identity.clone(),
            job: self.job.clone(),
        }
    }

    /// The folder of the journal, which outlives a job.
    #[must_use]
    pub fn journal_folder(&self) -> PathBuf {
        self.work_folder.join("_falcon-arm64-patch")
    }
}

impl Asked {
    /// Reads the inputs.
    ///
    /// # Errors
    /// One problem that tells everything that is wrong with them.
    pub fn from_inputs(inputs: &Inputs) -> Result<Self, Problem> {
        let mut check = Check::default();
        let asked = read::read(&mut check, inputs);
        match (asked, check.into_problem()) {
            (Some(asked), None) => Ok(asked),
            (_, Some(problem)) => Err(problem),
            (None, None) => unreachable!("a value that is missing has been noted as a problem"),
        }
    }
}

#[cfg(test)]
impl Config {
    /// Reads inputs that ask for a patch.
    pub(crate) fn from_inputs(inputs: &Inputs) -> Result<Self, Problem> {
        match Asked::from_inputs(inputs)? {
            Asked::Patch(config) => Ok(*config),
            Asked::Verify(config) => panic!("a patch was expected: {config:?}"),
        }
    }
}

#[cfg(test)]
mod tests;
