//! The forms in which people have a task definition.

use serde_json::{Map, Value};

use super::findings::Findings;
use crate::report::code::Code;

/// Fields that only ECS writes: the SDK's `TaskDefinition` has them and its `RegisterTaskDefinitionInput` lacks them.
const READ_ONLY: [&str; 9] = [
    "taskDefinitionArn",
    "revision",
    "status",
    "requiresAttributes",
    "compatibilities",
    "registeredAt",
    "deregisteredAt",
    "deleteRequestedAt",
    "registeredBy",
];

/// The input of `RegisterTaskDefinition` in a file's content.
pub(super) fn read(findings: &mut Findings, text: &str) -> Option<Map<String, Value>> {
    // Editors on Windows write this mark, and JSON has no place for it.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let document = match serde_json::from_str(text) {
        Ok(document) => document,
        Err(error) => {
            findings.refuse_as(
                Code::EcsTaskDefinitionUnreadable,
                format!("the file is not JSON: {error}"),
            );
            return None;
        }
    };
    let Value::Object(document) = document else {
        findings.refuse_as(
            Code::EcsTaskDefinitionUnreadable,
            "the file has to hold one JSON object, with `family` and `containerDefinitions`",
        );
        return None;
    };
    let mut input = unwrap(document);
    drop_read_only(findings, &mut input);
    drop_reserved_tags(findings, &mut input);
    drop_nulls(&mut input);
    if !input.contains_key("containerDefinitions") {
        findings.refuse_as(
            Code::EcsTaskDefinitionUnreadable,
            "the file holds no `containerDefinitions`, so it is not an ECS task definition",
        );
        return None;
    }
    Some(input)
}

/// Takes the definition out of the answer of `describe-task-definition`, where its tags stand beside it.
fn unwrap(mut document: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(inner)) = document.get_mut("taskDefinition") else {
        return document;
    };
    let mut inner = std::mem::take(inner);
    if let Some(tags) = document
        .remove("tags")
        .filter(|tags| *tags != Value::Array(Vec::new()))
    {
        inner.entry("tags").or_insert(tags);
    }
    inner
}

fn drop_read_only(findings: &mut Findings, input: &mut Map<String, Value>) {
    let mut dropped = Vec::new();
    input.retain(|name, _| {
        let is_read_only = READ_ONLY.contains(&name.as_str());
        if is_read_only {
            dropped.push(format!("`{name}`"));
        }
        !is_read_only
    });
    if !dropped.is_empty() {
        let dropped = dropped.join(", ");
        findings.change(format!("drops what only ECS writes: {dropped}"));
    }
}

/// Tags of AWS's own, such as `CloudFormation`'s, come with a description and cannot be registered
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>).
fn drop_reserved_tags(findings: &mut Findings, input: &mut Map<String, Value>) {
    let Some(Value::Array(tags)) = input.get_mut("tags") else {
        return;
    };
    let count = tags.len();
    tags.retain(|tag| {
        let key = tag["key"].as_str().unwrap_or_default();
        !key.to_ascii_lowercase().starts_with("aws:")
    });
    if tags.len() < count {
        findings.change("drops the tags that only AWS may set");
    }
}

/// To ECS a field that is `null` is not there, and the AWS CLI refuses it.
fn drop_nulls(fields: &mut Map<String, Value>) {
    fn inside(value: &mut Value) {
        match value {
            Value::Object(fields) => drop_nulls(fields),
            Value::Array(list) => list.iter_mut().for_each(inside),
            _ => {}
        }
    }
    fields.retain(|_, value| !value.is_null());
    fields.values_mut().for_each(inside);
}
