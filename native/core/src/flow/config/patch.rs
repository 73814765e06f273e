//! What the inputs mean, once nothing about them can be wrong.

use std::path::PathBuf;

use crate::adapters::crowdstrike::api::FalconApiSettings;
use crate::domain::aws::settings::AwsSettings;
use crate::domain::builder::BuilderName;
use crate::domain::falcon::options::FalconSettings;
use crate::domain::falcon::release::VersionChoice;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

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

impl Config {
    /// The additional tags, without the target's own where a user named it twice.
    pub fn other_tags(&self) -> impl Iterator<Item = &Tag> {
        let tags = self.additional_tags.iter();
        tags.filter(|tag| **tag != self.target_tag)
    }
}

#[cfg(test)]
impl Config {
    /// Reads inputs that ask for a patch.
    pub(crate) fn from_inputs(
        inputs: &crate::flow::inputs::Inputs,
    ) -> Result<Self, crate::report::problem::Problem> {
        use super::read::Asked;

        match Asked::from_inputs(inputs)? {
            Asked::Patch(config) => Ok(*config),
            Asked::Verify(config) => panic!("a patch was expected: {config:?}"),
        }
    }
}
