//! Placeholders that a template leaves to be filled in.

use serde_json::{Map, Value};

use super::findings::Findings;
use crate::report::code::Code;

/// Fields in which `<name>` and `$(name)` can be meant as they stand: programs' words, and texts of the user's own.
const FREE: [&str; 6] = [
    "awslogs-multiline-pattern",
    "command",
    "dockerLabels",
    "entryPoint",
    "environment",
    "healthCheck",
];

/// Refuses placeholders; `needs_image` says for which containers the image must be there by now.
pub(super) fn check(
    findings: &mut Findings,
    input: &Map<String, Value>,
    needs_image: impl Fn(usize) -> bool,
) {
    let mut left = Vec::new();
    for (name, value) in input {
        match value {
            Value::Array(containers) if name == "containerDefinitions" => {
                for (nth, container) in containers.iter().enumerate() {
                    let mut container = container.clone();
                    if let (false, Some(fields)) = (needs_image(nth), container.as_object_mut()) {
                        fields.retain(|name, _| name != "image");
                    }
                    collect(&container, &mut left);
                }
            }
            _ => collect(value, &mut left),
        }
    }
    if !left.is_empty() {
        let left: Vec<String> = left.iter().map(|name| format!("`{name}`")).collect();
        findings.refuse_as(
            Code::EcsPlaceholdersLeft,
            format!("placeholders are not filled in: {}", left.join(", ")),
        );
    }
}

/// Adds each placeholder once, in the order of the file.
fn collect(value: &Value, left: &mut Vec<String>) {
    match value {
        Value::String(text) => {
            for found in placeholders(text) {
                if !left.iter().any(|known| known == found) {
                    left.push(found.to_owned());
                }
            }
        }
        Value::Array(list) => list.iter().for_each(|value| collect(value, left)),
        Value::Object(fields) => fields
            .iter()
            .filter(|(name, _)| !FREE.contains(&name.as_str()))
            .for_each(|(_, value)| collect(value, left)),
        _ => {}
    }
}

/// `<name>`, as templates write it, and `$(name)`, which Azure Pipelines fills in nowhere but in its own files.
pub(super) fn placeholders(text: &str) -> Vec<&str> {
    let mut found = Vec::new();
    for (open, close) in [("<", '>'), ("$(", ')')] {
        let mut rest = text;
        while let Some(start) = rest.find(open) {
            let inner = &rest[start + open.len()..];
            let end = inner.find(|c: char| !is_of_names(c)).unwrap_or(inner.len());
            if inner.starts_with(|c: char| c.is_ascii_alphanumeric())
                && inner[end..].starts_with(close)
            {
                found.push(&rest[start..=start + open.len() + end]);
            }
            rest = inner;
        }
    }
    found
}

fn is_of_names(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ' ')
}
