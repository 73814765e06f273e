//! How a run ends.

use std::path::PathBuf;

use super::effect::Effect;
use crate::domain::aws::revision::Revision;
use crate::domain::builder::Builder;
use crate::domain::provenance::statement::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::report::code::Kind;
use crate::report::event::PlannedStage;
use crate::report::problem::Problem;

/// How a run failed, with all that a person needs to act on it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What failed and why.
    pub problem: Problem,
    /// Title of the step that failed; none before the first step.
    pub step: Option<String>,
    /// What the run had already changed and leaves behind.
    pub effects: Vec<Effect>,
    /// What could not be cleaned up.
    pub cleanup: Vec<String>,
}

impl Failure {
    /// Who has to act: the code decides.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.problem.code.kind()
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

/// The one result of a run.
#[derive(Clone, Debug)]
pub enum Ending {
    /// It did what was asked.
    Done(Box<Outcome>),
    /// It looked, and says what it would do.
    Planned(Box<Outcome>, Vec<PlannedStage>),
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
