//! The one result of a run as a JavaScript object.

use falcon_patch_core::{Kind, outcome};
use napi_derive::napi;

use crate::events::number;

/// How a run ended.
#[napi(
    discriminant = "type",
    discriminant_case = "camelCase",
    object_from_js = false
)]
pub enum Ending {
    /// It did what was asked.
    Done { outcome: Outcome },
    /// It looked, and says what it would do.
    Planned {
        stages: Vec<PlannedStage>,
        outcome: Outcome,
    },
    /// It found the image patched.
    Verified { image: VerifiedImage },
    /// It could not.
    Failed { failure: Failure },
    /// It was stopped from outside.
    Cancelled {
        effects: Vec<String>,
        cleanup: Vec<String>,
    },
}

/// A stage of a plan.
#[napi(object, object_from_js = false)]
pub struct PlannedStage {
    /// Titles of the steps that run side by side.
    pub steps: Vec<String>,
    /// The condition under which they run, where a probe decides it.
    pub branch: Option<String>,
}

/// What a run produced, or would produce.
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
    /// Whether the registry holds, or would hold, something new.
    pub changed: bool,
    /// Compressed bytes of the source's layers.
    pub source_bytes: Option<f64>,
    /// Compressed bytes of the patched image's layers.
    pub target_bytes: Option<f64>,
    /// The file with the finished ECS task definition.
    pub task_definition_path: Option<String>,
    /// The ARN of its registered revision.
    pub task_definition_arn: Option<String>,
    /// The buildx builder that later steps of the job have.
    pub builder: Option<BuildxBuilder>,
    /// What the run changed, a phrase each.
    pub effects: Vec<String>,
    /// What could not be cleaned up, a sentence each.
    pub cleanup: Vec<String>,
}

/// A buildx builder for later steps.
#[napi(object, object_from_js = false)]
pub struct BuildxBuilder {
    /// What they call it: `BUILDX_BUILDER`.
    pub name: String,
    /// The folder that it is kept in: `BUILDX_CONFIG`.
    pub folder: String,
}

/// An image that was found to be patched.
#[napi(object, object_from_js = false)]
pub struct VerifiedImage {
    /// The image by the digest of its ARM64 manifest.
    pub image_reference: String,
    /// The image by the tag that it was named by; missing where that was a digest.
    pub image_tag: Option<String>,
    /// The digest of its ARM64 manifest.
    pub image_digest: String,
    /// Whether it was named by an index, of which only the ARM64 image was looked at.
    pub from_index: bool,
    /// What it starts.
    pub entrypoint: Vec<String>,
    /// The sensor's version, where anything tells it.
    pub sensor_version: Option<String>,
    /// What the sensor takes for the cloud service.
    pub cloud_service: Option<String>,
    /// What the sensor takes for the container's name.
    pub container_name: Option<String>,
    /// Compressed bytes of its layers.
    pub bytes: f64,
    /// The name of the source that it was compared with.
    pub source_reference: Option<String>,
    /// The digest of that source's ARM64 manifest.
    pub source_digest: Option<String>,
    /// What the registry keeps of its making.
    pub record: Option<ImageRecord>,
}

/// A record of an image's making, as good as whoever can push to the repository.
#[napi(object, object_from_js = false)]
pub struct ImageRecord {
    /// The source's name.
    pub source_reference: Option<String>,
    /// The digest of the source's ARM64 manifest; missing for an image of an engine.
    pub source_digest: Option<String>,
    /// The sensor's name.
    pub sensor_reference: Option<String>,
    /// The digest of the sensor's ARM64 manifest.
    pub sensor_digest: String,
    /// The page of the run that made it.
    pub run_url: Option<String>,
    /// When it was pushed, in the form of RFC 3339.
    pub finished: Option<String>,
}

/// How a run failed.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// The stable code.
    pub code: String,
    /// Who has to act.
    #[napi(ts_type = "'input' | 'environment' | 'upstream' | 'bug'")]
    pub kind: String,
    /// Title of the step that failed.
    pub step: Option<String>,
    /// What failed.
    pub what: String,
    /// The causes, outermost first.
    pub why: Vec<String>,
    /// What to do.
    pub hint: Option<String>,
    /// What had changed by then.
    pub effects: Vec<String>,
    /// What could not be cleaned up.
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
            outcome::Ending::Failed(failure) => Self::Failed {
                failure: (*failure).into(),
            },
            outcome::Ending::Cancelled { effects, cleanup } => Self::Cancelled {
                effects: told(&effects),
                cleanup,
            },
        }
    }
}

impl From<falcon_patch_core::PlannedStage> for PlannedStage {
    fn from(forecast: falcon_patch_core::PlannedStage) -> Self {
        Self {
            steps: forecast.steps,
            branch: forecast.only_if.map(str::to_owned),
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
            effects: told(&outcome.effects),
            cleanup: outcome.cleanup,
        }
    }
}

impl From<outcome::Verified> for VerifiedImage {
    fn from(image: outcome::Verified) -> Self {
        let (source_reference, source_digest) = match image.source {
            Some(source) => (Some(source.name), Some(source.digest.to_string())),
            None => (None, None),
        };
        Self {
            image_reference: image.repository.at(&image.digest),
            image_tag: image.tag.map(|tag| image.repository.tagged(&tag)),
            image_digest: image.digest.to_string(),
            from_index: image.from_index,
            entrypoint: image.entrypoint,
            sensor_version: image.sensor_version,
            cloud_service: image.cloud_service,
            container_name: image.container_name,
            bytes: number(image.bytes),
            source_reference,
            source_digest,
            record: image.record.map(Into::into),
        }
    }
}

impl From<falcon_patch_core::Record> for ImageRecord {
    fn from(record: falcon_patch_core::Record) -> Self {
        let told = record.told.unwrap_or_default();
        let recipe = record.provenance.recipe;
        Self {
            source_reference: told.source,
            source_digest: recipe.source.map(|digest| digest.to_string()),
            sensor_reference: told.sensor,
            sensor_digest: recipe.sensor.to_string(),
            run_url: told.run,
            finished: told.finished,
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
            effects: told(&failure.effects),
            cleanup: failure.cleanup,
        }
    }
}

fn told(effects: &[falcon_patch_core::Effect]) -> Vec<String> {
    effects.iter().map(ToString::to_string).collect()
}
