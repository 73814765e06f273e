//! The configuration of a patch, in which nothing can be wrong any more.

use std::path::PathBuf;

use super::signing::SigningConfig;
use crate::domain::aws::settings::AwsSettings;
use crate::domain::builder::BuilderName;
use crate::domain::falcon::api_settings::FalconApiSettings;
use crate::domain::falcon::customer_id::CustomerId;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::falcon::release::VersionChoice;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// A patch, or the plan of one.
#[derive(Clone, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an answer of its own"
)]
pub struct PatchConfig {
    /// True if the run ends with its plan and changes nothing.
    pub only_plan: bool,
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
    /// The options for falconutil.
    pub falcon: FalconOptions<Option<CustomerId>>,
    /// The access to CrowdStrike's API; none where nothing is requested from it.
    pub falcon_api: Option<FalconApiSettings>,
    /// The sign-in to AWS.
    pub aws: AwsSettings,
    /// The account whose registry holds images named without one; none means the caller's.
    pub account: Option<String>,
    /// True if an image that equals the result of a patch is kept.
    pub skip_unchanged: bool,
    /// True if the target's repository is created where it is missing.
    pub create_repository: bool,
    /// The permission to install an emulator.
    pub emulation: Emulation,
    /// The image that installs it.
    pub emulator_image: PinnedImage,
    /// The strategy of the patch.
    pub strategy: Strategy,
    /// The cache of grafts.
    pub graft_cache: GraftCache,
    /// The image of the registry that stages the images; none where the engine pulls them from their own registries.
    pub staging_image: Option<PinnedImage>,
    /// The buildx builder that later steps get.
    pub builder: Option<BuilderName>,
    /// The access of falconutil to the engine.
    pub engine_access: EngineAccess,
    /// True if the images stay in the engine.
    pub keep_local_images: bool,
    /// The keys of signed records.
    pub signing: SigningConfig,
    /// The ECS task definition that gets the image; none where none was given.
    pub task_definition: Option<TaskDefinitionFile>,
}

/// An ECS task definition that gets the image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TaskDefinitionFile {
    /// The file that is read.
    pub path: PathBuf,
    /// The file that is written; none for one in the agent's temporary folder.
    pub output: Option<PathBuf>,
    /// True if the written definition is registered as well.
    pub register: bool,
}

/// The strategy of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Strategy {
    /// As a whole, in the engine.
    Full,
    /// By its manifest alone, in the registry, where nothing rules it out.
    Graft,
}

/// The cache of falconutil's answers to a graft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GraftCache {
    /// Entries in the target's repository.
    Registry,
    /// No cache: every graft asks falconutil.
    None,
}

/// The access of falconutil to the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EngineAccess {
    /// The requests that patching needs, where they can be filtered; all elsewhere, with a warning.
    Auto,
    /// The requests that patching needs; nothing runs where they cannot be filtered.
    Filtered,
    /// Every request.
    Direct,
}

/// The place of the image to patch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// In a registry.
    Registry(ImageName),
    /// In the agent's engine, under the name that the engine knows.
    Engine(String),
}

/// The place of the sensor image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sensor {
    /// An image in a registry.
    Image(ImageName),
    /// CrowdStrike's registry.
    CrowdStrike {
        /// The choice among its sensors.
        version: VersionChoice,
        /// The repository that it is copied to once and then used from.
        mirror: Option<ImageName>,
    },
}

/// The permission to install an emulator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Emulation {
    /// Granted where none is registered.
    Auto,
    /// Denied.
    Never,
}

/// An image that is run as it is, so only its digest names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PinnedImage {
    /// Its repository.
    pub repository: Repository,
    /// The tag that was given beside the digest, by which a pull-through cache fetches it.
    pub tag: Option<Tag>,
    /// Its digest.
    pub digest: Digest,
}

impl PatchConfig {
    /// The additional tags, without the target's own where a user named it twice.
    pub fn other_tags(&self) -> impl Iterator<Item = &Tag> {
        let tags = self.additional_tags.iter();
        tags.filter(|tag| **tag != self.target_tag)
    }
}
