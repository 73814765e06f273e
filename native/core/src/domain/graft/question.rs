//! The question to falconutil that a graft answers.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use crate::domain::falcon::marks::variables;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::tag::Tag;
use crate::report::secret::Secret;

/// The version of question and entry.
pub const SCHEMA: u64 = 1;

/// The version of the code that packs layers, in `domain/assembly` and `flow/run/assemble`. Another one would make
/// another layer of the same files.
const PACKING: u64 = 1;

/// The start of the tags of all entries.
pub const TAG_PREFIX: &str = "falcon-graft-";

/// Digits of the question's digest in the tag: enough that no two questions meet by accident, and the entry itself is
/// compared with the whole question.
const TAG_DIGITS: usize = 32;

/// Fields of a configuration that name its platform.
const PLATFORM: [&str; 5] = ["architecture", "os", "os.features", "os.version", "variant"];

/// All that decides falconutil's answer, as canonical JSON: compact, with the keys of all objects sorted.
///
/// The source's labels and the time of its build are not in it, because falconutil is not known to read them. Secrets
/// are in it as one digest, which the customer ID keeps from being guessed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question(String);

impl Question {
    /// The question for a source's configuration, a sensor's manifest for linux/arm64, and falconutil's options.
    #[must_use]
    pub fn new(source: &Value, sensor: &Digest, options: &FalconOptions) -> Self {
        let platform: Map<String, Value> = PLATFORM
            .into_iter()
            .filter_map(|name| Some((name.to_owned(), source.get(name)?.clone())))
            .collect();
        let mut config = source["config"].clone();
        if let Some(fields) = config.as_object_mut() {
            fields.remove("Labels");
        }
        let mut question = json!({
            "schema": SCHEMA,
            "packing": PACKING,
            "sensor": sensor.as_str(),
            "options": {
                "cloudService": options.cloud_service,
                "containerName": options.container_name,
                "digest": digest(options).as_str(),
                "platform": "linux/arm64",
            },
            "platform": platform,
            "config": config,
        });
        question.sort_all_objects();
        Self(question.to_string())
    }

    /// The question as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The tag under which its answer is looked for.
    #[must_use]
    pub fn tag(&self) -> Tag {
        let digest = Digest::of(self.0.as_bytes());
        let hex = digest.as_str().trim_start_matches("sha256:");
        Tag::of_hash(TAG_PREFIX, &hex[..TAG_DIGITS])
    }

    /// Names the parts in which another question differs; none if it is not a question.
    #[must_use]
    pub fn differences(&self, other: &str) -> Option<Vec<String>> {
        let own: Value = serde_json::from_str(&self.0).ok()?;
        let other: Value = serde_json::from_str(other).ok()?;
        if !other["sensor"].is_string() {
            return None;
        }
        let mut names: Vec<String> = [
            ("schema", "the version of the cache"),
            ("packing", "the version of the packing"),
            ("sensor", "the sensor"),
            ("options", "the options of falconutil"),
            ("platform", "the source's platform"),
        ]
        .into_iter()
        .filter(|(field, _)| own[field] != other[field])
        .map(|(_, name)| name.to_owned())
        .collect();
        names.extend(config_differences(&own["config"], &other["config"]));
        Some(names)
    }
}

/// The options of falconutil, as a digest that does not reveal them.
fn digest(options: &FalconOptions) -> Digest {
    let told = json!([
        options.customer_id.reveal(),
        options.cloud_service,
        options.container_name,
        options.falconctl_options.as_ref().map(Secret::reveal),
    ]);
    Digest::of(told.to_string().as_bytes())
}

/// Names the variables and the fields in which two configurations differ.
fn config_differences(own: &Value, other: &Value) -> Vec<String> {
    let lists = |config| variables(config).collect::<BTreeSet<(&str, &str)>>();
    let (ours, others) = (lists(own), lists(other));
    let changed: BTreeSet<&str> = ours
        .symmetric_difference(&others)
        .map(|(name, _)| *name)
        .collect();
    let mut names: Vec<String> = changed
        .iter()
        .map(|name| format!("the variable `{name}`"))
        .collect();
    let fields = [own, other].into_iter().filter_map(Value::as_object);
    let fields: BTreeSet<&String> = fields.flat_map(Map::keys).collect();
    let is_other = |name: &&&String| {
        let differs = own.get(name.as_str()) != other.get(name.as_str());
        differs && (name.as_str() != "Env" || changed.is_empty())
    };
    names.extend(
        fields
            .iter()
            .filter(is_other)
            .map(|name| format!("`{name}` of the configuration")),
    );
    names
}

#[cfg(test)]
mod tests;
