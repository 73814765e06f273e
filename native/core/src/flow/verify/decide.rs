//! Decides whether an image is patched, from the registries' facts alone.

use serde_json::Value;

use super::refusal::{SENSOR_VERSION_LABEL, VerifyError};
use crate::domain::falcon::marks::{SensorMarks, contradiction, variable};
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, SENSOR_ROOT, SENSOR_ROOT_VARIABLE};
use crate::domain::falcon::version::{SensorVersion, sensor_version};
use crate::domain::image::proof::{Evidence, ProofError, prove_derived};
use crate::domain::image::sensor_files::answer::SensorFiles;
use crate::domain::platform::Platform;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::signed_record::Record;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::outcome::{Verified, VerifiedSource};
use crate::report::cause::Cause;
use crate::report::problem::Problem;

/// The layers of an image that must hold the sensor's files.
#[derive(Clone, Copy, Debug)]
pub struct ToSearch<'a> {
    /// The image.
    pub image: &'a ImageFacts,
    /// The program that it starts first.
    pub entrypoint: &'static str,
    /// Number of its lowest layers that do not count, because they are the source's.
    pub below: usize,
}

/// Returns the layers to search. Reading them takes long, so all that is known without them comes first.
///
/// # Errors
/// The first reason why the image is not patched, or why that cannot be known.
pub fn to_search<'a>(
    config: &VerifyConfig,
    facts: &'a VerifyFacts,
) -> Result<ToSearch<'a>, Problem> {
    decide(config, facts)?;
    let below = match &facts.source {
        Some(source) => source
            .as_ref()
            .map_err(Clone::clone)?
            .image
            .diff_ids()
            .len(),
        None => 0,
    };
    Ok(ToSearch {
        image: facts.target.as_ref().map_err(Clone::clone)?,
        // The checks before let no other program pass.
        entrypoint: FALCON_ENTRYPOINT,
        below,
    })
}

/// Verifies that the image is patched, for ARM64, from the source and with a sensor as demanded, and that `files`, the
/// result of the search, shows the sensor's files.
///
/// # Errors
/// The first reason why it is not, or why that cannot be known.
pub fn verify(
    config: &VerifyConfig,
    facts: &VerifyFacts,
    files: &Fact<SensorFiles>,
) -> Result<Verified, Problem> {
    let verified = decide(config, facts)?;
    let target = facts.target.as_ref().map_err(Clone::clone)?;
    check_sensor_files(target, files.as_ref().map_err(Clone::clone)?)?;
    Ok(verified)
}

/// Decides all that manifest, configuration and records show.
fn decide(config: &VerifyConfig, facts: &VerifyFacts) -> Result<Verified, Problem> {
    let target = facts.target.as_ref().map_err(Clone::clone)?;
    check_platform(target)?;
    check_layers(target)?;
    check_marks(target)?;
    let (source, more) = match &facts.source {
        Some(source) => {
            let source = source.as_ref().map_err(Clone::clone)?;
            let compared = VerifiedSource {
                name: source.name.clone(),
                digest: source.image.digest.clone(),
            };
            (Some(compared), check_source(target, source)?)
        }
        None => (None, Vec::new()),
    };
    // The label is a weaker word, which does not count for records that cannot be read.
    let records = facts.records.as_ref().map_err(Clone::clone)?;
    check_signed(target, facts.keys.as_ref().map_err(Clone::clone)?, records)?;
    let record = oldest(&records.believed);
    let settings = target.image.runtime_config();
    let known = sensor_version_of(record, settings);
    if let Some(minimum) = &config.minimum_sensor_version {
        check_version(target, known.as_ref(), minimum)?;
    }
    let text = |name| variable(settings, name).map(str::to_owned);
    Ok(Verified {
        repository: target.repository.clone(),
        // A name with a digest does not show what its tag names.
        tag: config
            .target
            .tag
            .clone()
            .filter(|_| config.target.digest.is_none()),
        digest: target.image.digest.clone(),
        from_index: target.from_index,
        entrypoint: entrypoint(settings),
        sensor_version: known.map(|version| version.to_string()),
        cloud_service: text("CS_CLOUD_SERVICE"),
        container_name: text("CS_CONTAINER"),
        bytes: target.image.layers_size(),
        source,
        record: record.cloned(),
        more,
    })
}

/// Checks the platform that the image itself names, since an index can name another.
fn check_platform(target: &ImageFacts) -> Result<(), VerifyError> {
    let platform = target.platform();
    if platform == Platform::linux_arm64() {
        return Ok(());
    }
    Err(VerifyError::Platform {
        name: target.name.clone(),
        why: Cause::said(&format!("its configuration names {platform}")),
    })
}

/// Checks that the manifest has the layers that the configuration names, one of which is the sensor's.
fn check_layers(target: &ImageFacts) -> Result<(), VerifyError> {
    let (named, layers) = (target.image.diff_ids().len(), target.image.layers.len());
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
    let config = target.image.runtime_config();
    let marks = SensorMarks::of(config);
    let entrypoint = (!marks.by_entrypoint)
        .then(|| format!("its entrypoint does not begin with `{FALCON_ENTRYPOINT}`"));
    let root = (variable(config, SENSOR_ROOT_VARIABLE) != Some(SENSOR_ROOT))
        .then(|| format!("its environment has no `{SENSOR_ROOT_VARIABLE}={SENSOR_ROOT}`"));
    let repeated = contradiction(config)
        .map(|name| format!("its environment has `{name}` with different values"));
    let missing = entrypoint.into_iter().chain(root).chain(repeated);
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
    let (source_platform, target_platform) = (source.platform(), target.platform());
    let (source_layers, target_layers) = (source.image.diff_ids(), target.image.diff_ids());
    let source_evidence = Evidence {
        platform: &source_platform,
        diff_ids: &source_layers,
        config: source.image.runtime_config(),
    };
    let target_evidence = Evidence {
        platform: &target_platform,
        diff_ids: &target_layers,
        config: target.image.runtime_config(),
    };
    let differs = |why: Cause| VerifyError::SourceDiffers {
        name: target.name.clone(),
        of: source.name.clone(),
        why,
    };
    let added = target_layers.len().saturating_sub(source_layers.len());
    if added > 1 {
        let why = format!("it has {added} layers on the source's, and a patch adds one");
        return Err(differs(Cause::said(&why)));
    }
    prove_derived(source_evidence, target_evidence).map_err(|error| match error {
        ProofError::NoEffect { why } | ProofError::Unexpected { why } => differs(Cause::of(&why)),
    })
}

/// Checks that the program which the marks promise is in the layers. A search without an answer shows nothing.
fn check_sensor_files(target: &ImageFacts, files: &SensorFiles) -> Result<(), VerifyError> {
    let name = target.name.clone();
    match files {
        SensorFiles::Present(_) => Ok(()),
        SensorFiles::Missing(why) => {
            let why = why.clone();
            Err(VerifyError::SensorFilesMissing { name, why })
        }
        SensorFiles::Unknown(why) => {
            let why = why.clone();
            Err(VerifyError::SensorFilesUnknown { name, why })
        }
    }
}

/// Checks that a record counts where keys are known. Without keys an image may have none.
fn check_signed(
    target: &ImageFacts,
    keys: &KeyFacts,
    records: &KnownRecords<Record>,
) -> Result<(), VerifyError> {
    if keys.trust == Trust::Anyone || !records.believed.is_empty() {
        return Ok(());
    }
    let ignored = records
        .ignored
        .iter()
        .map(|record| format!("the record {record}"));
    let unread = (records.unread > 0)
        .then(|| format!("{} more artifacts beside it were not read", records.unread));
    let why: Vec<String> = ignored.chain(unread).collect();
    Err(VerifyError::NotSigned {
        name: target.name.clone(),
        why: Cause::said(&if why.is_empty() {
            "it has no record".to_owned()
        } else {
            why.join("; ")
        }),
    })
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
    match record {
        Some(record) => version(record),
        None => labelled(),
    }
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
