//! Fields of a task definition, read as ECS takes them.

use serde_json::{Map, Value};

/// The containers of a definition; none where the field is missing or of another kind.
pub(super) fn containers(input: &Map<String, Value>) -> &[Value] {
    let containers = input.get("containerDefinitions").and_then(Value::as_array);
    containers.map_or(&[], Vec::as_slice)
}

/// Returns true if ECS takes a text for the name of a family or a container.
pub fn is_name(text: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=255).contains(&text.len()) && text.chars().all(is_of_names)
}

/// Returns the name of a container for a message.
pub(super) fn named(container: &Value, nth: usize) -> String {
    match container["name"].as_str() {
        Some(name) => format!("container `{name}`"),
        None => format!("container {}", nth + 1),
    }
}

/// Returns true if a field says anything: ECS takes an empty list or text, `false` and 0 for nothing.
pub(super) fn is_set(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(yes) => *yes,
        Value::Number(number) => number.as_f64() != Some(0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
    }
}
