//! The change that falconutil made to a configuration, reduced to what it may change.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::domain::falcon::marks::variables;
use crate::domain::image::proof::{BUILDERS_OWN, Deviation, FALCON_VARIABLES, texts};

/// Change of entrypoint, environment and labels. All other fields stay the source's own, whatever a builder leaves out of
/// them or fills in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Change {
    /// The whole entrypoint.
    pub(crate) entrypoint: Vec<String>,
    /// The variables that are set, `NAME=value` each, in falconutil's order.
    pub(crate) variables: Vec<String>,
    /// The labels that are added.
    pub(crate) labels: Map<String, Value>,
}

impl Change {
    /// Compares a patched image with what it was built on, both as the same engine reports them.
    ///
    /// # Errors
    /// The first part of the source's configuration that was changed and must not be.
    pub fn between(before: &Value, after: &Value) -> Result<Self, Deviation> {
        refuse_changed_fields(before, after)?;
        Ok(Self {
            entrypoint: texts(after, "Entrypoint")
                .into_iter()
                .map(str::to_owned)
                .collect(),
            variables: set_variables(before, after)?,
            labels: added_labels(before, after)?,
        })
    }

    /// Makes the change to a configuration.
    pub(super) fn apply(&self, config: &mut Value) {
        if !config.is_object() {
            *config = Value::Object(Map::new());
        }
        config["Entrypoint"] = self.entrypoint.clone().into();
        let set: BTreeSet<&str> = self.variables.iter().map(|text| name_of(text)).collect();
        let kept = variable_list(config).filter(|text| !set.contains(name_of(text)));
        let environment: Vec<String> = kept
            .map(str::to_owned)
            .chain(self.variables.iter().cloned())
            .collect();
        config["Env"] = environment.into();
        if self.labels.is_empty() {
            return;
        }
        if !config["Labels"].is_object() {
            config["Labels"] = Value::Object(Map::new());
        }
        for (name, text) in &self.labels {
            config["Labels"][name] = text.clone();
        }
    }
}

fn variable_list(config: &Value) -> impl Iterator<Item = &str> {
    let list = config["Env"].as_array().into_iter().flatten();
    list.filter_map(Value::as_str)
}

fn name_of(text: &str) -> &str {
    text.split_once('=').map_or(text, |(name, _)| name)
}

/// Finds the variables that falconutil sets, or that are new.
///
/// A builder keeps one of several variables of a name, so each of the source's must be there in one of its values.
fn set_variables(before: &Value, after: &Value) -> Result<Vec<String>, Deviation> {
    let is_of_falcon = |name: &str| FALCON_VARIABLES.contains(&name);
    let known: BTreeSet<&str> = variables(before).map(|(name, _)| name).collect();
    let values: BTreeSet<&str> = variable_list(before).collect();
    let mut set = Vec::new();
    for text in variable_list(after) {
        let name = name_of(text);
        if is_of_falcon(name) || !known.contains(name) {
            set.push(text.to_owned());
        } else if !values.contains(text) {
            return Err(variable_lost(name));
        }
    }
    let left: BTreeSet<&str> = variables(after).map(|(name, _)| name).collect();
    match known.difference(&left).find(|name| !is_of_falcon(name)) {
        Some(name) => Err(variable_lost(name)),
        None => Ok(set),
    }
}

fn variable_lost(name: &str) -> Deviation {
    Deviation::new(format!("its variable `{name}` is not the source's"))
}

fn added_labels(before: &Value, after: &Value) -> Result<Map<String, Value>, Deviation> {
    let labels = |config: &Value| config["Labels"].as_object().cloned().unwrap_or_default();
    let (before, mut after) = (labels(before), labels(after));
    for (name, text) in before {
        // `remove` would put the last label in its place, and the order of the added ones would depend on the source.
        if after.shift_remove(&name).as_ref() != Some(&text) {
            return Err(Deviation::new(format!(
                "its label `{name}` is not the source's"
            )));
        }
    }
    Ok(after)
}

/// Refuses a field with another meaning. One that is left out is the builder's doing, and the source's own stays.
fn refuse_changed_fields(before: &Value, after: &Value) -> Result<(), Deviation> {
    let none = Map::new();
    let is_compared_elsewhere = |name: &str| {
        matches!(name, "Entrypoint" | "Env" | "Labels") || BUILDERS_OWN.contains(&name)
    };
    for (name, value) in after.as_object().unwrap_or(&none) {
        let (old, new) = (normal(name, &before[name]), normal(name, value));
        if !is_compared_elsewhere(name) && new.is_some() && new != old {
            return Err(Deviation::new(format!(
                "`{name}` of its configuration is not the source's"
            )));
        }
    }
    Ok(())
}

/// Normal form of a field; none where it has no meaning: engines write out what is empty, or leave it out.
fn normal(name: &str, value: &Value) -> Option<Value> {
    match value {
        // The keys of these sets are the meaning, and their values are empty objects or null.
        Value::Object(set) if matches!(name, "ExposedPorts" | "Volumes") => {
            let keys: Vec<Value> = set.keys().cloned().map(Value::from).collect();
            (!keys.is_empty()).then(|| Value::from(keys))
        }
        Value::Object(fields) => {
            let fields: Map<String, Value> = fields
                .iter()
                .filter_map(|(name, value)| Some((name.clone(), normal(name, value)?)))
                .collect();
            (!fields.is_empty()).then(|| Value::from(fields))
        }
        Value::Null | Value::Bool(false) => None,
        Value::Number(number) if number.as_f64() == Some(0.0) => None,
        Value::String(text) if text.is_empty() => None,
        Value::Array(list) if list.is_empty() => None,
        Value::Bool(true) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Some(value.clone())
        }
    }
}
