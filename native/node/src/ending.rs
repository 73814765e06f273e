//! The result of a run as a JavaScript object.

use falcon_patch_core::{Effect, Kind, outcome};
use napi_derive::napi;

use crate::number::number;
use crate::planned_stage::PlannedStage;
use crate::service_deployment::ServiceDeployment;
use crate::verified_image::VerifiedImage;

/// The result of a run.
#[napi(
    discriminant = "type",
    discriminant_case = "camelCase",
    object_from_js = false
)]
pub enum Ending {
    /// It patched the image, or found it up to date.
    Done { outcome: Outcome },
    /// It planned a run and changed nothing.
    Planned {
        stages: Vec<PlannedStage>,
        outcome: Outcome,
    },
    /// It found the image patched.
    Verified { image: VerifiedImage },
    /// It deployed the image, or found it deployed.
    Deployed { deployment: ServiceDeployment },
    /// It planned a deployment and changed nothing.
    DeploymentPlanned {
        stages: Vec<PlannedStage>,
        deployment: ServiceDeployment,
    },
    /// It failed.
    Failed { failure: Failure },
    /// The agent stopped it.
    Cancelled {
        effects: Vec<String>,
        cleanup: Vec<String>,
    },
}

/// Results of a run, or of a planned one.
#[napi(object, object_from_js = false)]
pub struct Outcome {
    /// The patched image by digest; missing while it is only planned.
    pub image_reference: Option<String>,
    /// The patched image by its tag.
    pub image_tag: String,
    /// The digest of the patched image's manifest.
    pub image_digest: Option<String>,
    /// The source as a tag reference, or as the engine names it.
    pub source_reference: String,
    /// The digest of the source's ARM64 manifest; missing for an image of the engine.
    pub source_digest: Option<String>,
    /// The sensor as a tag reference.
    pub sensor_reference: String,
    /// The digest of the sensor's ARM64 manifest.
    pub sensor_digest: String,
    /// The sensor's version, as far as known.
    pub sensor_version: Option<String>,
    /// The record beside the image; missing where there is none.
    pub record: Option<RecordState>,
    /// True if the registry holds, or would hold, a new image.
    pub changed: bool,
    /// Compressed bytes of the source's layers.
    pub source_bytes: Option<f64>,
    /// Compressed bytes of the patched image's layers.
    pub target_bytes: Option<f64>,
    /// The file with the finished ECS task definition.
    pub task_definition_path: Option<String>,
    /// The ARN of its registered revision.
    pub task_definition_arn: Option<String>,
    /// The buildx builder for later steps of the job.
    pub builder: Option<BuildxBuilder>,
    /// Changes that the run made, a phrase each.
    pub effects: Vec<String>,
    /// Leftovers that could not be cleaned up, a sentence each.
    pub cleanup: Vec<String>,
}

/// A record beside an image.
#[napi(object, object_from_js = false)]
pub struct RecordState {
    /// The trusted key that has signed it; missing where it is not signed.
    pub signer: Option<String>,
}

/// A buildx builder for later steps.
#[napi(object, object_from_js = false)]
pub struct BuildxBuilder {
    /// Its name: `BUILDX_BUILDER`.
    pub name: String,
    /// The folder of its configuration: `BUILDX_CONFIG`.
    pub folder: String,
}

/// The reason that a run failed.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// The party that must act.
    #[napi(ts_type = "'input' | 'environment' | 'upstream' | 'bug'")]
    pub kind: String,
    /// Title of the step that failed.
    pub step: Option<String>,
    /// The problem in one sentence.
    pub what: String,
    /// The causes, outermost first.
    pub why: Vec<String>,
    /// An instruction that helps.
    pub hint: Option<String>,
    /// Changes made by then.
    pub effects: Vec<String>,
    /// Leftovers that could not be cleaned up.
    pub cleanup: Vec<String>,
}

impl From<outcome::Ending> for Ending {
    fn from(ending: outcome::Ending) -> Self {
        match ending {
            outcome::Ending::Done(outcome) => Self::Done {
                outcome: (*outcome).into(),
            },
            outcome::Ending::Planned(outcome, stages) => Self::Planned {
                stages: stages.into_iter().map(Into::into).collect(),
                outcome: (*outcome).into(),
            },
            outcome::Ending::Verified(image) => Self::Verified {
                image: (*image).into(),
            },
            outcome::Ending::Deployed(deployed) => Self::Deployed {
                deployment: (*deployed).into(),
            },
            outcome::Ending::DeploymentPlanned(deployed, stages) => Self::DeploymentPlanned {
                stages: stages.into_iter().map(Into::into).collect(),
                deployment: (*deployed).into(),
            },
            outcome::Ending::Failed(failure) => Self::Failed {
                failure: (*failure).into(),
            },
            outcome::Ending::Cancelled { effects, cleanup } => Self::Cancelled {
                effects: describe(&effects),
                cleanup,
            },
        }
    }
}

impl From<outcome::Outcome> for Outcome {
    fn from(outcome: outcome::Outcome) -> Self {
        Self {
            image_reference: outcome
                .digest
                .as_ref()
                .map(|digest| outcome.target.at(digest)),
            image_tag: outcome.target.tagged(&outcome.target_tag),
            image_digest: outcome.digest.map(|digest| digest.to_string()),
            source_reference: outcome.source_name,
            source_digest: outcome.source_digest.map(|digest| digest.to_string()),
            sensor_reference: outcome.sensor_name,
            sensor_digest: outcome.sensor_digest.to_string(),
            sensor_version: outcome.sensor_version,
            record: outcome.record.map(|signer| RecordState {
                signer: match signer {
                    outcome::RecordSigner::Key(name) => Some(name),
                    outcome::RecordSigner::Unsigned => None,
                },
            }),
            changed: outcome.changed,
            source_bytes: outcome.source_bytes.map(number),
            target_bytes: outcome.target_bytes.map(number),
            task_definition_path: outcome
                .task_definition
                .map(|path| path.display().to_string()),
            task_definition_arn: outcome.revision.map(|revision| revision.arn),
            builder: outcome.builder.map(|builder| BuildxBuilder {
                name: builder.name.to_string(),
                folder: builder.folder.to_string_lossy().into_owned(),
            }),
            effects: describe(&outcome.effects),
            cleanup: outcome.cleanup,
        }
    }
}

impl From<outcome::Failure> for Failure {
    fn from(failure: outcome::Failure) -> Self {
        let kind = match failure.kind() {
            Kind::Input => "input",
            Kind::Environment => "environment",
            Kind::Upstream => "upstream",
            Kind::Bug => "bug",
        };
        Self {
            code: failure.problem.code.as_str().to_owned(),
            kind: kind.to_owned(),
            step: failure.step,
            what: failure.problem.what,
            why: failure.problem.why,
            hint: failure.problem.hint,
            effects: describe(&failure.effects),
            cleanup: failure.cleanup,
        }
    }
}

fn describe(effects: &[Effect]) -> Vec<String> {
    effects.iter().map(ToString::to_string).collect()
}
