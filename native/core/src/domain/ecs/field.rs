//! Fields of a task definition, and their paths in messages.

use serde_json::{Map, Value};

/// The field that lists the containers.
pub(super) const CONTAINERS: &str = "containerDefinitions";

/// The containers of a definition; none where the field is missing or of another kind.
pub(super) fn containers(input: &Map<String, Value>) -> &[Value] {
    let containers = input.get(CONTAINERS).and_then(Value::as_array);
    containers.map_or(&[], Vec::as_slice)
}

/// The containers of a definition that have a name, each with its index.
pub(super) fn container_names(input: &Map<String, Value>) -> impl Iterator<Item = (usize, &str)> {
    let containers = containers(input).iter().enumerate();
    containers.filter_map(|(nth, container)| Some((nth, container["name"].as_str()?)))
}

/// The elements of a list, each with its path; none where `value` is something else.
pub(super) fn elements<'a, 'b>(
    value: &'a Value,
    path: &'b str,
) -> impl Iterator<Item = (String, &'a Value)> + use<'a, 'b> {
    let elements = value.as_array().into_iter().flatten().enumerate();
    elements.map(move |(nth, element)| (element_path(path, nth), element))
}

/// The path of a container.
pub(super) fn container_path(nth: usize) -> String {
    element_path(CONTAINERS, nth)
}

/// The path of an element of a list.
pub(super) fn element_path(list: &str, nth: usize) -> String {
    format!("{list}[{nth}]")
}

/// The path of a field; a name that is not a plain word is quoted, as `options["awslogs-group"]`.
pub(super) fn field_path(object: &str, name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    match object {
        "" => name.to_owned(),
        _ if name.chars().all(is_plain) => format!("{object}.{name}"),
        _ => format!("{object}[\"{name}\"]"),
    }
}

/// Returns true if ECS takes a text for the name of a family or a container.
pub fn is_name(text: &str) -> bool {
    let is_of_names = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    (1..=255).contains(&text.len()) && text.chars().all(is_of_names)
}

/// Returns true for a container whose end ends the task, which is the default.
pub(super) fn is_essential(container: &Value) -> bool {
    container.get("essential").is_none_or(is_set)
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
