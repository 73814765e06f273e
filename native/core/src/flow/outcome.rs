//! The end of a run.

use std::path::PathBuf;

use super::effect::Effect;
use crate::domain::aws::revision::Revision;
use crate::domain::builder::Builder;
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::report::code::Kind;
use crate::report::event::PlannedStage;
use crate::report::problem::Problem;

/// The failure of a run, with everything that a person needs to act on it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// The problem with its causes.
    pub problem: Problem,
    /// Title of the step that failed; none before the first step.
    pub step: Option<String>,
    /// The changes that the run leaves behind.
    pub effects: Vec<Effect>,
    /// The leftovers that could not be cleaned up.
    pub cleanup: Vec<String>,
}

impl Failure {
    /// The kind of the problem, by its code: it decides who must act.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.problem.code.kind()
    }
}

/// The result of a finished run, or of a plan.
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
    /// The sensor's version, if its tag or a label names it.
    pub sensor_version: Option<String>,
    /// The signer of the record beside the image; none without a record.
    pub record: Option<RecordSigner>,
    /// True if a new image was created, or would be.
    pub changed: bool,
    /// Compressed bytes of the source's layers, as far as known.
    pub source_bytes: Option<u64>,
    /// Compressed bytes of the patched image's layers.
    pub target_bytes: Option<u64>,
    /// The ECS task definition that names the patched image, where one was written.
    pub task_definition: Option<PathBuf>,
    /// The revision that ECS created, where it was registered.
    pub revision: Option<Revision>,
    /// The buildx builder that later steps have.
    pub builder: Option<Builder>,
    /// The changes by the run.
    pub effects: Vec<Effect>,
    /// The leftovers that could not be cleaned up.
    pub cleanup: Vec<String>,
}

/// The signer of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RecordSigner {
    /// A trusted key, by its name.
    Key(String),
    /// Nobody: all who can push to the repository can have written it.
    Unsigned,
}

impl RecordSigner {
    /// The signer that a record names.
    #[must_use]
    pub fn of(name: Option<String>) -> Self {
        name.map_or(Self::Unsigned, Self::Key)
    }
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
    /// True if an index named it, of which only the ARM64 image was checked.
    pub from_index: bool,
    /// The program that it starts, with its arguments.
    pub entrypoint: Vec<String>,
    /// The sensor's version, if it is recorded.
    pub sensor_version: Option<String>,
    /// The cloud service that the sensor uses, if the image names it.
    pub cloud_service: Option<String>,
    /// The container's name that the sensor uses, if the image has it.
    pub container_name: Option<String>,
    /// Compressed bytes of its layers.
    pub bytes: u64,
    /// The source that it was compared with, if any.
    pub source: Option<VerifiedSource>,
    /// The registry's record of it, if any; of several records the one with the oldest sensor.
    pub record: Option<Record>,
    /// Differences beyond the source and the documented patch, a phrase each.
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

/// A deployment to an ECS service.
#[derive(Clone, Debug)]
pub struct Deployed {
    /// The image, as it was verified.
    pub image: Verified,
    /// The name of the cluster.
    pub cluster: String,
    /// The name of the service.
    pub service: String,
    /// The state of the deployment at the end of the run.
    pub result: DeploymentResult,
    /// True if a deployment began, or would.
    pub changed: bool,
    /// The ID of the deployment, where one began or was under way.
    pub deployment: Option<String>,
    /// The revision that is deployed; none while it is only planned.
    pub revision: Option<Revision>,
    /// The ECS task definition, where one was written.
    pub task_definition: Option<PathBuf>,
    /// The changes by the run.
    pub effects: Vec<Effect>,
    /// The leftovers that could not be cleaned up.
    pub cleanup: Vec<String>,
}

/// The state of a deployment at the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentResult {
    /// There was nothing to deploy.
    Unneeded,
    /// It would begin.
    Planned,
    /// It began and was not watched.
    Started,
    /// It is done.
    Completed,
}

/// The one result of a run.
#[derive(Clone, Debug)]
pub enum Ending {
    /// The image is in the registry.
    Done(Box<Outcome>),
    /// Nothing was changed, and the plan is known.
    Planned(Box<Outcome>, Vec<PlannedStage>),
    /// The image is patched.
    Verified(Box<Verified>),
    /// The image is deployed, as far as the run was to see to it.
    Deployed(Box<Deployed>),
    /// Nothing was changed, and the plan of a deployment is known.
    DeploymentPlanned(Box<Deployed>, Vec<PlannedStage>),
    /// The run failed.
    Failed(Box<Failure>),
    /// The run was stopped from outside.
    Cancelled {
        /// The changes until then.
        effects: Vec<Effect>,
        /// The leftovers that could not be cleaned up.
        cleanup: Vec<String>,
    },
}
