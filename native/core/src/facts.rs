//! What the world looks like, as far as a run needs to know.

mod builder;
mod ecs;
mod gather;
mod images;
mod lines;
mod now;
mod sensor;
mod verify;

pub(crate) use ecs::FileError;
pub use gather::gather;
pub(crate) use gather::handler;
use lines::aws_line;
pub(crate) use now::provenance;
pub use verify::gather as gather_for_verify;

use std::collections::HashSet;
use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::aws::{CallerIdentity, TagMutability};
use crate::config::Config;
use crate::ecs::TaskDefinition;
use crate::emulation::Registration;
use crate::engine::EngineFacts;
use crate::error::Problem;
use crate::falcon::{CustomerId, FalconOptions};
use crate::graft::Obstacle;
use crate::platform::Platform;
use crate::proof::Evidence;
use crate::provenance::{Provenance, Told};
use crate::reference::{Digest, Repository, Tag};
use crate::registry::RegistryImage;
use crate::staging::Staged;

/// Something that was looked up; a look-up that failed is a fact too, and the plan decides whether it matters.
pub type Fact<T> = Result<T, Problem>;

/// A read-only look at the world, which grows when a probe tells more.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Who AWS says we are; not asked where nothing is to be changed.
    pub caller: Option<Fact<CallerIdentity>>,
    /// The engine.
    pub engine: Fact<EngineFacts>,
    /// Whether the kernel runs ARM64 programs through an emulator.
    pub handler: Registration,
    /// The image to patch.
    pub source: Fact<SourceFacts>,
    /// The sensor image.
    pub sensor: Fact<SensorFacts>,
    /// The customer ID, given or looked up.
    pub customer_id: Fact<CustomerId>,
    /// Where the patched image goes.
    pub target: Fact<TargetFacts>,
    /// What the builder for later steps needs; none where none is asked for.
    pub builder: Option<Fact<BuilderFacts>>,
    /// Where the images are staged by now; none where the engine takes them from their own registries.
    pub staged: Option<Staged>,
    /// The ECS task definition, corrected; none where none was given.
    pub task_definition: Option<Fact<TaskDefinition>>,
    /// The digests of images that the engine holds already.
    pub in_engine: HashSet<Digest>,
    /// What only trying could tell.
    pub probes: Probes,
}

/// A look at an image that is to be verified.
#[derive(Clone, Debug)]
pub struct VerifyFacts {
    /// Who AWS says we are, where it was asked; only to be shown.
    pub caller: Option<CallerIdentity>,
    /// The image.
    pub target: Fact<ImageFacts>,
    /// What the registry keeps of its making.
    pub records: Vec<Record>,
    /// What it is to be compared with.
    pub source: Option<Fact<ImageFacts>>,
}

/// A record of an image's making; whoever can push to the repository can have written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it says of the digests.
    pub provenance: Provenance,
    /// What it tells people; none if the statement cannot be read.
    pub told: Option<Told>,
}

/// The ARM64 image that a reference to a registry stands for.
#[derive(Clone, Debug)]
pub struct ImageFacts {
    /// The image as the user named it, registry included.
    pub name: String,
    /// Its repository.
    pub repository: Repository,
    /// The digest of the ARM64 manifest.
    pub digest: Digest,
    /// Whether the user's reference names an index.
    pub from_index: bool,
    /// The platform that its configuration names, whatever an index says of it.
    pub platform: Platform,
    /// Its configuration's `config` object.
    pub config: Value,
    /// The digests of its layers, uncompressed.
    pub diff_ids: Vec<String>,
    /// Compressed bytes of its layers.
    pub bytes: u64,
}

/// The image to patch.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// The image as the user named it, registry included.
    pub name: String,
    /// Where it is.
    pub place: SourcePlace,
    /// Its configuration's `config` object, from which every field but the entrypoint and the environment has to survive.
    pub config: Value,
    /// The digests of its layers, uncompressed.
    pub diff_ids: Vec<String>,
    /// Compressed bytes of its layers, as far as known.
    pub bytes: Option<u64>,
}

/// Where the source is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePlace {
    /// In a registry.
    Registry {
        /// The repository.
        repository: Repository,
        /// The ARM64 image, by whose digest it goes from here on.
        image: Arc<RegistryImage>,
        /// Whether the user's reference names an index, of which only the ARM64 image is patched.
        from_index: bool,
    },
    /// In the engine.
    Engine {
        /// The image's ID.
        id: String,
    },
}

/// The sensor image.
#[derive(Clone, Debug)]
pub struct SensorFacts {
    /// The image as the user named it, registry included.
    pub name: String,
    /// Its repository.
    pub repository: Repository,
    /// The digest of its manifest for linux/arm64, whose files go into the patched image.
    pub arm64: Digest,
    /// The digest of its manifest for the engine's own platform, if it has one that is not linux/arm64.
    pub native: Option<Digest>,
    /// Its version, if its tag or a label tells it.
    pub version: Option<String>,
    /// What has to be copied before the image is where it is taken from.
    pub copy: Option<SensorCopy>,
}

/// A sensor that is to be copied into the mirror, from which it is taken then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SensorCopy {
    /// CrowdStrike's repository.
    pub from: Repository,
    /// The digest of all that is copied, which is an index for several platforms.
    pub digest: Digest,
    /// The mirror.
    pub to: Repository,
    /// The tag in both.
    pub tag: Tag,
}

/// Where the patched image goes.
#[derive(Clone, Debug)]
pub struct TargetFacts {
    /// The repository.
    pub repository: Repository,
    /// Which of the wanted tags exist, with what they name.
    pub existing: Vec<(Tag, Digest)>,
    /// The ARM64 image that the target's tag names, where that is looked at and no index.
    pub current: Option<CurrentImage>,
    /// Whether tags can be overwritten; not known without the right to ask, and not asked where
    /// nothing is to be changed.
    pub mutability: Option<TagMutability>,
    /// Whether the repository has yet to be created, which the inputs allow.
    pub is_missing: bool,
}

/// What a buildx builder needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BuilderFacts {
    /// The plugin's version.
    pub buildx: String,
    /// Whether the builder is there, made by this step or an earlier one of the job.
    pub is_made: bool,
}

/// What the target's tag names before the run.
#[derive(Clone, Debug)]
pub struct CurrentImage {
    /// The image.
    pub image: Arc<RegistryImage>,
    /// What the registry keeps of its making; nothing if that cannot be read.
    pub provenance: Vec<Provenance>,
}

/// What only trying could tell.
#[derive(Clone, Debug, Default)]
pub struct Probes {
    /// Whether ARM64 programs run in the engine's containers.
    pub arm64_runs: Option<bool>,
    /// Whether an emulator has been installed by this run.
    pub emulator_installed: bool,
    /// Whether the falconutil of the engine's own platform knows `--platform`.
    pub native_knows_platform: Option<bool>,
    /// Whether the falconutil for ARM64 knows `--platform`.
    pub arm64_knows_platform: Option<bool>,
    /// Whether there is a graft to be pushed, or what forbids it.
    pub graft: Option<Result<(), Obstacle>>,
}

/// Where the engine has or takes the source from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOrigin<'a> {
    /// A registry, its own or the one that it is staged in.
    Registry(&'a Repository, &'a Digest),
    /// The engine itself has it, under this ID.
    Engine(&'a str),
}

impl Facts {
    /// Where the engine has or takes the source from.
    #[must_use]
    pub fn source_origin<'a>(&'a self, source: &'a SourceFacts) -> SourceOrigin<'a> {
        match (&self.staged, &source.place) {
            (Some(staged), _) => SourceOrigin::Registry(&staged.source, &staged.source_digest),
            (
                None,
                SourcePlace::Registry {
                    repository, image, ..
                },
            ) => SourceOrigin::Registry(repository, &image.digest),
            (None, SourcePlace::Engine { id }) => SourceOrigin::Engine(id),
        }
    }

    /// Where the engine takes the sensor from.
    #[must_use]
    pub fn sensor_origin<'a>(&'a self, sensor: &'a SensorFacts) -> &'a Repository {
        let staged = self.staged.as_ref();
        staged.map_or(&sensor.repository, |staged| &staged.sensor)
    }
}

impl TargetFacts {
    /// Whether a tag names a manifest.
    #[must_use]
    pub fn names(&self, tag: &Tag, digest: &Digest) -> bool {
        self.existing
            .iter()
            .any(|(known, named)| known == tag && named == digest)
    }
}

/// What every image that is patched or made is for.
static ARM64: LazyLock<Platform> = LazyLock::new(Platform::linux_arm64);

impl Facts {
    /// What falconutil is told; the container's name is that in the ECS task definition, also where `containerName` leaves it
    /// open.
    pub(crate) fn falcon_options(&self, config: &Config) -> Result<FalconOptions, Problem> {
        let customer_id = self.customer_id.clone()?;
        let mut options = config.falcon.for_customer(customer_id);
        if let Some(definition) = &self.task_definition {
            let definition = definition.as_ref().map_err(Clone::clone)?;
            options.container_name = Some(definition.container.clone());
        }
        Ok(options)
    }
}

impl SourceFacts {
    /// The source as a proof sees it; one for another platform is not among the facts.
    #[must_use]
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            platform: &ARM64,
            diff_ids: &self.diff_ids,
            config: &self.config,
        }
    }

    /// The source's ARM64 manifest digest; none for an image of the engine.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match &self.place {
            SourcePlace::Registry { image, .. } => Some(&image.digest),
            SourcePlace::Engine { .. } => None,
        }
    }
}
