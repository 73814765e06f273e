//! Decides whether an image is patched, from the registries' facts alone.

use serde_json::Value;

use super::config::verify::VerifyConfig;
use super::facts::verify::{ImageFacts, VerifyFacts};
use super::outcome::{Verified, VerifiedSource};
use crate::domain::falcon::marks::{SensorMarks, contradiction, variable};
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, SENSOR_ROOT_VARIABLE};
use crate::domain::falcon::version::{SensorVersion, sensor_version};
use crate::domain::image::proof::{Evidence, ProofError, prove_derived};
use crate::domain::platform::Platform;
use crate::domain::provenance::statement::Record;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// The label that may name the sensor of an image without provenance. It is a claim of the image's author: falconutil
/// leaves no trace of the version.
pub const SENSOR_VERSION_LABEL: &str = "falcon.sensor.version";

/// The reason to refuse an image.
#[derive(Debug, thiserror::Error)]
enum VerifyError {
    #[error("The target image `{name}` is not for linux/arm64")]
    Platform {
        name: String,
        #[source]
        why: Cause,
    },
    #[error("`{name}` is not patched with the Falcon sensor")]
    NotPatched {
        name: String,
        #[source]
        why: Cause,
    },
    #[error("`{name}` is not `{of}` with the Falcon sensor")]
    SourceDiffers {
        name: String,
        of: String,
        #[source]
        why: Cause,
    },
    #[error("The sensor in `{name}` is {version}, and `minimumSensorVersion` is {minimum}")]
    TooOld {
        name: String,
        version: SensorVersion,
        minimum: SensorVersion,
    },
    #[error(
        "The version of the sensor in `{name}` is unknown, and `minimumSensorVersion` is {minimum}"
    )]
    VersionUnknown {
        name: String,
        minimum: SensorVersion,
        #[source]
        why: Cause,
    },
}

impl Explain for VerifyError {
    fn code(&self) -> Code {
        match self {
            Self::Platform { .. } => Code::RegistryPlatformMissing,
            Self::NotPatched { .. } => Code::FalconNotPatched,
            Self::SourceDiffers { .. } => Code::FalconSourceDiffers,
            Self::TooOld { .. } => Code::FalconSensorTooOld,
            Self::VersionUnknown { .. } => Code::FalconSensorVersionUnknown,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Platform { .. } => "Name the image that `action: patch` pushed, which is for linux/arm64".to_owned(),
            Self::NotPatched { .. } => "Patch the image with `action: patch`, and verify what that pushed".to_owned(),
            Self::SourceDiffers { .. } => "Set `sourceImage` to the image that was patched, best by its digest, or patch this one again".to_owned(),
            Self::TooOld { .. } => "Patch the source again with a newer sensor".to_owned(),
            Self::VersionUnknown { .. } => format!("Patch the image with `action: patch`, which records the sensor's version beside the image; or build the source with the label `{SENSOR_VERSION_LABEL}`, which patching keeps"),
        })
    }
}

/// Verifies that the image is patched, for ARM64, from the source and with a sensor as demanded.
///
/// # Errors
/// The first reason why it is not, or why that cannot be known.
pub fn verify(config: &VerifyConfig, facts: &VerifyFacts) -> Result<Verified, Problem> {
    let target = facts.target.as_ref().map_err(Clone::clone)?;
    check_platform(target)?;
    check_layers(target)?;
    check_marks(target)?;
    let (source, more) = match &facts.source {
        Some(source) => {
            let source = source.as_ref().map_err(Clone::clone)?;
            let compared = VerifiedSource {
                name: source.name.clone(),
                digest: source.digest.clone(),
            };
            (Some(compared), check_source(target, source)?)
        }
        None => (None, Vec::new()),
    };
    // The label is a weaker word, which does not count for records that cannot be read.
    let records = facts.records.as_ref().map_err(Clone::clone)?;
    let record = oldest(records);
    let known = sensor_version_of(record, &target.config);
    if let Some(minimum) = &config.minimum_sensor_version {
        check_version(target, known.as_ref(), minimum)?;
    }
    let text = |name| variable(&target.config, name).map(str::to_owned);
    Ok(Verified {
        repository: target.repository.clone(),
        // A name with a digest does not show what its tag names.
        tag: config
            .target
            .tag
            .clone()
            .filter(|_| config.target.digest.is_none()),
        digest: target.digest.clone(),
        from_index: target.from_index,
        entrypoint: entrypoint(&target.config),
        sensor_version: known.map(|version| version.to_string()),
        cloud_service: text("CS_CLOUD_SERVICE"),
        container_name: text("CS_CONTAINER"),
        bytes: target.bytes,
        source,
        record: record.cloned(),
        more,
    })
}

/// Checks the platform that the image itself names, since an index can name another.
fn check_platform(target: &ImageFacts) -> Result<(), VerifyError> {
    if target.platform == Platform::linux_arm64() {
        return Ok(());
    }
    Err(VerifyError::Platform {
        name: target.name.clone(),
        why: Cause::said(&format!("its configuration names {}", target.platform)),
    })
}

/// Checks that the manifest has the layers that the configuration names, one of which is the sensor's.
fn check_layers(target: &ImageFacts) -> Result<(), VerifyError> {
    let (named, layers) = (target.diff_ids.len(), target.layers);
    if named == layers {
        return Ok(());
    }
    Err(VerifyError::NotPatched {
        name: target.name.clone(),
        why: Cause::said(&format!(
            "its configuration names {named} layers, and its manifest {layers}"
        )),
    })
}

/// Checks for both marks: files of the sensor that nothing starts protect nothing. Programs differ in the one of
/// several values that they read, so those may not differ.
fn check_marks(target: &ImageFacts) -> Result<(), VerifyError> {
    let marks = SensorMarks::of(&target.config);
    let entrypoint = (!marks.by_entrypoint)
        .then(|| format!("its entrypoint does not begin with `{FALCON_ENTRYPOINT}`"));
    let variable =
        (!marks.by_variable).then(|| format!("its environment has no `{SENSOR_ROOT_VARIABLE}`"));
    let repeated = contradiction(&target.config)
        .map(|name| format!("its environment has `{name}` with different values"));
    let missing = entrypoint.into_iter().chain(variable).chain(repeated);
    let missing: Vec<String> = missing.collect();
    if missing.is_empty() {
        return Ok(());
    }
    Err(VerifyError::NotPatched {
        name: target.name.clone(),
        why: Cause::said(&missing.join(", and ")),
    })
}

fn check_source(target: &ImageFacts, source: &ImageFacts) -> Result<Vec<String>, VerifyError> {
    prove_derived(evidence(source), evidence(target)).map_err(|error| match error {
        ProofError::NoEffect { why } | ProofError::Unexpected { why } => {
            VerifyError::SourceDiffers {
                name: target.name.clone(),
                of: source.name.clone(),
                why: Cause::of(&why),
            }
        }
    })
}

fn evidence(image: &ImageFacts) -> Evidence<'_> {
    Evidence {
        platform: &image.platform,
        diff_ids: &image.diff_ids,
        config: &image.config,
    }
}

/// The record of the image. Sensors with the same files leave several, of which the one with the oldest sensor counts, so
/// that no other record lets an image look newer.
fn oldest(records: &[Record]) -> Option<&Record> {
    let is_older = |record: &Record, than: &Record| match (version(record), version(than)) {
        (Some(own), Some(other)) => own.is_at_least(&other) == Some(false),
        (own, other) => own.is_some() && other.is_none(),
    };
    records.iter().reduce(|oldest, record| {
        if is_older(record, oldest) {
            record
        } else {
            oldest
        }
    })
}

fn version(record: &Record) -> Option<SensorVersion> {
    let text = record.provenance.sensor_version.as_deref()?;
    SensorVersion::parse(&sensor_version(text)?)
}

/// The sensor's version, from the record or else from the label.
fn sensor_version_of(record: Option<&Record>, config: &Value) -> Option<SensorVersion> {
    let labelled = || {
        let label = config["Labels"][SENSOR_VERSION_LABEL].as_str()?;
        SensorVersion::parse(&sensor_version(label)?)
    };
    record.and_then(version).or_else(labelled)
}

fn check_version(
    target: &ImageFacts,
    version: Option<&SensorVersion>,
    minimum: &SensorVersion,
) -> Result<(), VerifyError> {
    let (name, minimum) = (target.name.clone(), minimum.clone());
    let Some(version) = version else {
        let why = Cause::said(&format!(
            "no provenance names it, and the image has no label `{SENSOR_VERSION_LABEL}` with a version"
        ));
        return Err(VerifyError::VersionUnknown { name, minimum, why });
    };
    match version.is_at_least(&minimum) {
        Some(true) => Ok(()),
        Some(false) => Err(VerifyError::TooOld {
            name,
            version: version.clone(),
            minimum,
        }),
        None => {
            let why = Cause::said(&format!("no more than {version} is known"));
            Err(VerifyError::VersionUnknown { name, minimum, why })
        }
    }
}

fn entrypoint(config: &Value) -> Vec<String> {
    let list = config["Entrypoint"].as_array().into_iter().flatten();
    list.filter_map(|text| text.as_str().map(str::to_owned))
        .collect()
}

#[cfg(test)]
mod tests;
