//! Definitions in which any one value is another, as a slip of a hand or a tool makes it.

use serde_json::{Value, json};

use super::{IMAGE, registered, with};
use crate::domain::ecs::task_definition::TaskDefinition;

/// A definition with something in most fields.
fn rich() -> Value {
    with(|d| {
        let web = &mut d["containerDefinitions"][0];
        for (field, value) in [
            ("entryPoint", json!(["/start"])),
            ("command", json!(["serve"])),
            ("environment", json!([{"name": "A", "value": "b"}])),
            ("secrets", json!([{"name": "C", "valueFrom": "d"}])),
            (
                "portMappings",
                json!([{"containerPort": 80, "hostPort": 80}]),
            ),
            (
                "mountPoints",
                json!([{"sourceVolume": "data", "containerPath": "/data"}]),
            ),
            (
                "dependsOn",
                json!([{"containerName": "log", "condition": "START"}]),
            ),
            (
                "healthCheck",
                json!({"command": ["CMD", "true"], "interval": 30}),
            ),
            (
                "logConfiguration",
                json!({"logDriver": "splunk", "options": {"a.b": "c"}}),
            ),
            ("memory", json!(512)),
            ("essential", json!(true)),
            ("dockerLabels", json!({"x": "y"})),
        ] {
            web[field] = value;
        }
        let log = json!({"name": "log", "image": "fluent-bit:1",
            "firelensConfiguration": {"type": "fluentbit"}, "volumesFrom": [{"sourceContainer": "web"}]});
        d["containerDefinitions"].as_array_mut().unwrap().push(log);
        d["volumes"] = json!([{"name": "data", "host": {}}]);
        d["tags"] = json!([{"key": "team", "value": "a"}]);
        d["ephemeralStorage"] = json!({"sizeInGiB": 21});
        d["proxyConfiguration"] = json!({"containerName": "log", "properties": []});
    })
}

/// The pointers of all values in a document.
fn pointers(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(list) => {
            for (nth, value) in list.iter().enumerate() {
                pointers(value, &format!("{at}/{nth}"), all);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                pointers(value, &format!("{at}/{name}"), all);
            }
        }
        _ => {}
    }
}

#[test]
fn any_value_anywhere_is_taken_or_refused_and_a_result_needs_no_second_correction() {
    let good = rich();
    assert!(read(&good).is_some());
    let mut all = Vec::new();
    pointers(&good, "", &mut all);
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(80),
        json!(""),
        json!("x"),
        json!("${X}"),
        json!("<x>"),
        json!([]),
        json!([null]),
        json!(["x", {}]),
        json!({}),
        json!({"a": [1]}),
    ];
    for pointer in all {
        for value in &values {
            let mut document = good.clone();
            *document.pointer_mut(&pointer).expect("a value") = value.clone();
            let Some(definition) = read(&document) else {
                continue;
            };
            let written = definition.with_image(IMAGE);
            let again = TaskDefinition::read(written.as_bytes(), registered(Some("web")));
            let again = again.unwrap_or_else(|problem| panic!("{pointer} {value}: {problem:?}"));
            assert_eq!(again.changes, Vec::<String>::new(), "{pointer} {value}");
            assert_eq!(again.with_image(IMAGE), written, "{pointer} {value}");
        }
    }
}

/// The definition, or nothing where it is refused with a reason.
fn read(document: &Value) -> Option<TaskDefinition> {
    let read = TaskDefinition::read(document.to_string().as_bytes(), registered(Some("web")));
    read.inspect_err(|problem| assert!(!problem.what.is_empty()))
        .ok()
}
