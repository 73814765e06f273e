//! Proves that an image is the source with the Falcon sensor and nothing else changed.

use serde_json::{Map, Value};

use super::registry_image::RegistryImage;
use crate::domain::falcon::marks::{contradiction, variable, variables};
use crate::domain::falcon::options::{
    FALCON_ENTRYPOINT, FalconOptions, SENSOR_ROOT, SENSOR_ROOT_VARIABLE,
};
use crate::domain::platform::Platform;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// An image as the proof sees it, from the engine or from a registry.
#[derive(Clone, Copy, Debug)]
pub struct Evidence<'a> {
    /// Its platform.
    pub platform: &'a Platform,
    /// The digests of its layers, uncompressed, in order.
    pub diff_ids: &'a [String],
    /// The `config` object of its configuration.
    pub config: &'a Value,
}

/// Reason that an image is not the source with the sensor.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// Nothing happened to it.
    #[error("falconutil ended without an error, but the image is not patched")]
    NoEffect {
        /// Deviation that shows it.
        #[source]
        why: Deviation,
    },
    /// It is not what it must be.
    #[error("The patched image is not what it must be")]
    Unexpected {
        /// Deviation that shows it.
        #[source]
        why: Deviation,
    },
}

/// One sentence on what deviates.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Deviation(String);

impl Deviation {
    pub(crate) fn new(sentence: String) -> Self {
        Self(sentence)
    }
}

impl From<Deviation> for ProofError {
    fn from(why: Deviation) -> Self {
        Self::Unexpected { why }
    }
}

impl Explain for ProofError {
    fn code(&self) -> Code {
        match self {
            Self::NoEffect { .. } => Code::FalconutilNoEffect,
            Self::Unexpected { .. } => Code::FalconutilResultUnexpected,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoEffect { .. } => "Read falconutil's output in the log, and try another sensor version",
            Self::Unexpected { .. } => "Do not deploy the image; try another sensor version, and report the deviation with the sensor's version",
        }.to_owned())
    }
}

/// Compares a patched image with its source and with the options of falconutil.
///
/// Returns what falconutil added beyond what is documented, a sentence each: worth a warning,
/// since a newer falconutil may well set one more variable or label.
///
/// # Errors
/// The first way in which it is not the source with the sensor.
pub fn prove(
    source: Evidence<'_>,
    patched: Evidence<'_>,
    options: &FalconOptions,
) -> Result<Vec<String>, ProofError> {
    let more = prove_derived(source, patched)?;
    prove_options(patched.config, options)?;
    Ok(more)
}

/// Compares a patched image in a registry with its source and with the options of falconutil.
///
/// Returns what [`prove`] returns.
///
/// # Errors
/// Those of [`prove`].
pub fn prove_image(
    source: Evidence<'_>,
    patched: &RegistryImage,
    options: &FalconOptions,
) -> Result<Vec<String>, ProofError> {
    let platform = patched
        .platform()
        .unwrap_or_else(|| Platform::new("unknown", "unknown", None));
    let evidence = Evidence {
        platform: &platform,
        diff_ids: &patched.diff_ids(),
        config: patched.runtime_config(),
    };
    prove(source, evidence, options)
}

/// Compares a patched image with its source alone, for a caller that does not know the options of falconutil.
///
/// Returns what [`prove`] returns.
///
/// # Errors
/// The first way in which it is not the source with a sensor.
pub fn prove_derived(
    source: Evidence<'_>,
    patched: Evidence<'_>,
) -> Result<Vec<String>, ProofError> {
    if *patched.platform != Platform::linux_arm64() {
        return Err(unexpected(format!(
            "its platform is {}, not linux/arm64",
            patched.platform
        )));
    }
    prove_layers(source.diff_ids, patched.diff_ids)?;
    prove_entrypoint(source.config, patched.config)?;
    let mut more = prove_environment(source.config, patched.config)?;
    more.extend(prove_labels(source.config, patched.config)?);
    prove_other_fields(source.config, patched.config)?;
    Ok(more)
}

/// Compares the layers of a patched image with those of its source, and returns the added ones.
///
/// # Errors
/// Layers that do not begin with the source's, or that have none beside them.
pub fn prove_layers<'a>(
    source: &[String],
    patched: &'a [String],
) -> Result<&'a [String], ProofError> {
    match patched.strip_prefix(source) {
        Some([]) => Err(ProofError::NoEffect {
            why: Deviation("it has the source's layers and no other".to_owned()),
        }),
        Some(added) => Ok(added),
        None => Err(unexpected(
            "its first layers are not the source's".to_owned(),
        )),
    }
}

fn unexpected(why: String) -> ProofError {
    ProofError::Unexpected {
        why: Deviation(why),
    }
}

fn prove_entrypoint(source: &Value, patched: &Value) -> Result<(), ProofError> {
    let seen = texts(patched, "Entrypoint");
    let mut expected = vec![FALCON_ENTRYPOINT];
    expected.extend(texts(source, "Entrypoint"));
    if seen == expected {
        return Ok(());
    }
    let why = Deviation(format!(
        "its entrypoint is {seen:?} and must be {expected:?}"
    ));
    Err(if seen == texts(source, "Entrypoint") {
        ProofError::NoEffect { why }
    } else {
        ProofError::Unexpected { why }
    })
}

/// The variables that falconutil sets.
pub(crate) const FALCON_VARIABLES: [&str; 4] = [
    "FALCONCTL_OPTS",
    "CS_CLOUD_SERVICE",
    "CS_CONTAINER",
    SENSOR_ROOT_VARIABLE,
];

fn prove_environment(source: &Value, patched: &Value) -> Result<Vec<String>, ProofError> {
    if let Some(name) = contradiction(patched) {
        return Err(unexpected(format!(
            "its variable `{name}` is there several times, with different values"
        )));
    }
    let before: Vec<_> = others(source).collect();
    let is_known = |name: &str| before.iter().any(|(known, _)| *known == name);
    let (kept, added): (Vec<_>, Vec<_>) = others(patched).partition(|(name, _)| is_known(name));
    // A variable that is there several times counts as often, and the order decides which value a program reads.
    if let Some(name) = first_difference(&before, &kept) {
        return Err(unexpected(format!(
            "its variable `{name}` is not the source's"
        )));
    }
    prove_variable(patched, SENSOR_ROOT_VARIABLE, Some(SENSOR_ROOT))?;
    Ok(added
        .into_iter()
        .map(|(name, _)| format!("the variable `{name}`"))
        .collect())
}

/// The variables that falconutil does not set.
fn others(config: &Value) -> impl Iterator<Item = (&str, &str)> {
    variables(config).filter(|(name, _)| !FALCON_VARIABLES.contains(name))
}

/// The name of the first variable in which two lists differ.
fn first_difference<'a>(before: &[(&'a str, &str)], after: &[(&'a str, &str)]) -> Option<&'a str> {
    let length = before.len().max(after.len());
    let differing = (0..length).find(|&index| before.get(index) != after.get(index))?;
    let variable = before.get(differing).or(after.get(differing))?;
    Some(variable.0)
}

fn prove_options(patched: &Value, options: &FalconOptions) -> Result<(), ProofError> {
    prove_variable(
        patched,
        "CS_CLOUD_SERVICE",
        options.cloud_service.as_deref(),
    )?;
    prove_variable(patched, "CS_CONTAINER", options.container_name.as_deref())?;
    let falconctl = variable(patched, "FALCONCTL_OPTS").unwrap_or_default();
    let words: Vec<&str> = falconctl.split_whitespace().collect();
    // The values are secrets, so a deviation is told without them.
    let id = format!("--cid={}", options.customer_id.reveal());
    let ids = words.iter().filter(|word| word.starts_with("--cid"));
    let ids: Vec<&&str> = ids.collect();
    if !matches!(ids.as_slice(), [only] if only.eq_ignore_ascii_case(&id)) {
        return Err(unexpected(
            "its variable `FALCONCTL_OPTS` does not hold the customer ID".to_owned(),
        ));
    }
    let wanted = options
        .falconctl_options
        .as_ref()
        .map_or("", |options| options.reveal());
    if !wanted
        .split_whitespace()
        .all(|option| words.contains(&option))
    {
        return Err(unexpected(
            "its variable `FALCONCTL_OPTS` does not hold every option of `falconctlOptions`"
                .to_owned(),
        ));
    }
    Ok(())
}

/// A variable that has to have a value; none leaves it open.
fn prove_variable(patched: &Value, name: &str, wanted: Option<&str>) -> Result<(), ProofError> {
    match wanted {
        Some(text) if variable(patched, name) != wanted => {
            Err(unexpected(format!("its variable `{name}` is not `{text}`")))
        }
        _ => Ok(()),
    }
}

fn prove_labels(source: &Value, patched: &Value) -> Result<Vec<String>, ProofError> {
    let none = Map::new();
    let labels = |config: &'_ Value| {
        config
            .get("Labels")
            .and_then(Value::as_object)
            .cloned()
            .unwrap_or_else(|| none.clone())
    };
    let (before, after) = (labels(source), labels(patched));
    if let Some((name, _)) = before
        .iter()
        .find(|(name, text)| after.get(*name) != Some(text))
    {
        return Err(ProofError::Unexpected {
            why: Deviation(format!("its label `{name}` is not the source's")),
        });
    }
    Ok(after
        .keys()
        .filter(|name| !before.contains_key(*name))
        .map(|name| format!("the label `{name}`"))
        .collect())
}

/// Fields that building on an image changes by itself: the parent's ID, leftovers of the builder's container, and triggers that have run.
pub(crate) const BUILDERS_OWN: &[&str] = &[
    "ArgsEscaped",
    "AttachStderr",
    "AttachStdin",
    "AttachStdout",
    "Domainname",
    "Hostname",
    "Image",
    "OnBuild",
    "OpenStdin",
    "StdinOnce",
    "Tty",
];

fn prove_other_fields(source: &Value, patched: &Value) -> Result<(), ProofError> {
    let (before, after) = (meaningful_fields(source), meaningful_fields(patched));
    let mut names: Vec<&String> = before.keys().chain(after.keys()).collect();
    names.sort();
    match names
        .into_iter()
        .find(|name| before.get(*name) != after.get(*name))
    {
        None => Ok(()),
        Some(name) => Err(ProofError::Unexpected {
            why: Deviation(format!("`{name}` of its configuration is not the source's")),
        }),
    }
}

/// The fields that say something: engines write out empty ones, registries leave them away.
fn meaningful_fields(config: &Value) -> Map<String, Value> {
    let is_told_elsewhere = |name: &str| matches!(name, "Entrypoint" | "Env" | "Labels");
    let says_something = |value: &Value| match value {
        Value::Null | Value::Bool(false) => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        Value::Bool(true) | Value::Number(_) => true,
    };
    let fields = config.as_object().cloned().unwrap_or_default();
    fields
        .into_iter()
        .filter(|(name, value)| {
            !is_told_elsewhere(name)
                && !BUILDERS_OWN.contains(&name.as_str())
                && says_something(value)
        })
        .collect()
}

pub(crate) fn texts<'a>(config: &'a Value, field: &str) -> Vec<&'a str> {
    let list = config.get(field).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect()
}

#[cfg(test)]
mod tests;
