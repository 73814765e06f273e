//! The forms in which people have a task definition.

use serde_json::{Map, Value};

use super::encoding::decode;
use super::field::CONTAINERS;
use super::findings::{Findings, Origin};

/// Fields that only ECS writes: the SDK's `TaskDefinition` has them and its `RegisterTaskDefinitionInput` lacks them.
pub(super) const READ_ONLY: [&str; 9] = [
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

/// Reads the input of `RegisterTaskDefinition` from a file's content.
pub(super) fn read(
    findings: &mut Findings,
    bytes: &[u8],
    origin: Origin,
) -> Option<Map<String, Value>> {
    let decoded = match decode(bytes) {
        Ok(decoded) => decoded,
        Err(why) => {
            findings.refuse_file(format!("the file cannot be read: {why}"));
            return None;
        }
    };
    if decoded.is_utf16 {
        findings.change("reads the file as UTF-16, and writes UTF-8");
    }
    let document = match serde_json::from_str(&decoded.text) {
        Ok(document) => document,
        Err(error) => {
            findings.refuse_file(format!("the file is not JSON: {error}"));
            return None;
        }
    };
    let Value::Object(document) = document else {
        findings.refuse_file(
            "the file must hold one JSON object, with `family` and `containerDefinitions`",
        );
        return None;
    };
    let mut input = unwrap(document);
    drop_read_only(findings, &mut input);
    drop_nulls(&mut input);
    drop_tags(findings, &mut input);
    if origin == Origin::Service {
        // ECS itself has added what was dropped.
        findings.forget_changes();
    }
    if !input.contains_key(CONTAINERS) {
        findings.refuse_file(
            "the file holds no `containerDefinitions`, so it is not an ECS task definition",
        );
        return None;
    }
    Some(input)
}

/// Takes the definition out of the answer of `describe-task-definition`, where its tags stand beside it.
pub(super) fn unwrap(mut document: Map<String, Value>) -> Map<String, Value> {
    let Some(Value::Object(inner)) = document.get_mut("taskDefinition") else {
        return document;
    };
    let mut inner = std::mem::take(inner);
    if let Some(tags) = document.remove("tags") {
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

/// Drops tags of AWS's own, such as `CloudFormation`'s, and a list of tags that is empty then: ECS refuses both.
///
/// <https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>, and "Tags can not be empty" in
/// <https://github.com/fabfuel/ecs-deploy/issues/146>.
fn drop_tags(findings: &mut Findings, input: &mut Map<String, Value>) {
    let Some(Value::Array(tags)) = input.get_mut("tags") else {
        return;
    };
    let count = tags.len();
    tags.retain(|tag| !is_tag_of_aws(tag));
    let are_left = !tags.is_empty();
    if tags.len() < count {
        findings.change("drops the tags that only AWS may set");
    }
    if !are_left {
        input.shift_remove("tags");
        if count == 0 {
            findings.change("drops `tags`, which is empty");
        }
    }
}

/// Returns true for a tag that only AWS may set.
pub(super) fn is_tag_of_aws(tag: &Value) -> bool {
    let key = tag["key"].as_str().unwrap_or_default();
    key.to_ascii_lowercase().starts_with("aws:")
}

/// Drops fields that are `null`: to ECS they are absent, and the AWS CLI refuses them.
pub(super) fn drop_nulls(fields: &mut Map<String, Value>) {
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
