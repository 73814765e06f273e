//! The JSON types of a task definition: corrected where there is one right value, and refused where there is not.

use serde_json::{Map, Value};

use super::field::{element_path, field_path};
use super::findings::Findings;
use super::model::{Field, Kind, TASK_DEFINITION};

/// Corrects the types of all known fields. No message shows a value, since environments can hold secrets.
pub(super) fn correct(findings: &mut Findings, input: &mut Map<String, Value>) {
    correct_fields(findings, "", input, TASK_DEFINITION);
}

fn correct_fields(
    findings: &mut Findings,
    path: &str,
    fields: &mut Map<String, Value>,
    model: &[Field],
) {
    for field in model {
        let path = field_path(path, field.name);
        let Some(value) = fields.get_mut(field.name) else {
            if field.is_required {
                findings.refuse(path, "is missing");
            }
            continue;
        };
        if !field.is_required && says_nothing(value, field.kind) {
            fields.shift_remove(field.name);
            findings.change(format!("drops `{path}`, which is empty"));
            continue;
        }
        correct_value(findings, &path, value, field.kind);
        if field.is_required && is_empty(value, field.kind) {
            findings.refuse(path, "is empty");
        }
    }
}

/// Returns true for an empty text, and for an object that needs something and holds nothing.
fn says_nothing(value: &Value, kind: Kind) -> bool {
    match (kind, value) {
        (Kind::Text, Value::String(text)) => text.is_empty(),
        (Kind::Object(model), Value::Object(fields)) => {
            model.iter().any(|field| field.is_required) && fields.values().all(is_blank)
        }
        _ => false,
    }
}

fn is_blank(value: &Value) -> bool {
    match value {
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.iter().all(is_blank),
        Value::Object(fields) => fields.values().all(is_blank),
        Value::Null => true,
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_empty(value: &Value, kind: Kind) -> bool {
    match (kind, value) {
        (Kind::Text, Value::String(text)) => text.is_empty(),
        (Kind::Texts, Value::Array(list)) => list.is_empty(),
        _ => false,
    }
}

fn correct_value(findings: &mut Findings, path: &str, value: &mut Value, kind: Kind) {
    match (kind, value) {
        (Kind::Text | Kind::AnyText, value) => scalar(findings, path, value, "a string", text),
        (Kind::Integer, value) => scalar(findings, path, value, "a whole number", integer),
        (Kind::Boolean, value) => scalar(findings, path, value, "a boolean", boolean),
        (Kind::Texts, Value::Array(list)) => correct_list(findings, path, list, Kind::AnyText),
        (Kind::Integers, Value::Array(list)) => correct_list(findings, path, list, Kind::Integer),
        (Kind::Objects(model), Value::Array(list)) => {
            correct_list(findings, path, list, Kind::Object(model));
        }
        (Kind::Object(model), Value::Object(fields)) => {
            correct_fields(findings, path, fields, model);
        }
        (Kind::TextMap, Value::Object(fields)) => {
            for (name, value) in fields {
                let path = field_path(path, name);
                correct_value(findings, &path, value, Kind::AnyText);
            }
        }
        (Kind::Texts, value) => refuse(findings, path, value, "a list of strings"),
        (Kind::Integers, value) => refuse(findings, path, value, "a list of whole numbers"),
        (Kind::Objects(_), value) => refuse(findings, path, value, "a list of objects"),
        (Kind::Object(_) | Kind::TextMap, value) => refuse(findings, path, value, "an object"),
    }
}

fn correct_list(findings: &mut Findings, path: &str, list: &mut [Value], kind: Kind) {
    for (nth, value) in list.iter_mut().enumerate() {
        correct_value(findings, &element_path(path, nth), value, kind);
    }
}

/// Puts the one right value in the place of a value of another type, or refuses it.
fn scalar(
    findings: &mut Findings,
    path: &str,
    value: &mut Value,
    expected: &str,
    right: fn(&Value) -> Option<Value>,
) {
    match right(value) {
        Some(right) if right == *value => {}
        Some(right) => {
            *value = right;
            findings.change(format!("writes `{path}` as {expected}"));
        }
        None => refuse(findings, path, value, expected),
    }
}

fn refuse(findings: &mut Findings, path: &str, value: &Value, expected: &str) {
    findings.refuse(path, format!("is {}, and must be {expected}", name(value)));
}

/// The text of a value. A fraction has none, since `1.10` has lost its zero by now.
fn text(value: &Value) -> Option<Value> {
    match value {
        Value::String(_) => Some(value.clone()),
        Value::Bool(_) => Some(Value::String(value.to_string())),
        Value::Number(number) if !number.is_f64() => Some(Value::String(number.to_string())),
        _ => None,
    }
}

fn integer(value: &Value) -> Option<Value> {
    match value {
        Value::Number(number) if !number.is_f64() => Some(value.clone()),
        Value::Number(number) => {
            // Written so, `8080.0` has a fraction of nothing, which leaves one whole number.
            let text = number.to_string();
            let whole = text.strip_suffix(".0")?.parse::<i64>().ok()?;
            Some(Value::from(whole))
        }
        Value::String(text) => Some(Value::from(text.trim().parse::<i64>().ok()?)),
        _ => None,
    }
}

fn boolean(value: &Value) -> Option<Value> {
    match value {
        Value::Bool(_) => Some(value.clone()),
        Value::String(text) if text.trim().eq_ignore_ascii_case("true") => Some(Value::Bool(true)),
        Value::String(text) if text.trim().eq_ignore_ascii_case("false") => {
            Some(Value::Bool(false))
        }
        _ => None,
    }
}

fn name(value: &Value) -> &'static str {
    match value {
        Value::Null => "`null`",
        Value::Bool(_) => "a boolean",
        Value::Number(number) if number.is_f64() => "a number with a fraction",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
