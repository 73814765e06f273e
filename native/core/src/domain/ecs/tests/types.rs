//! The JSON types.

use serde_json::{Value, json};

use super::{corrected, refused};
use crate::report::code::Code;

/// A change of the only container.
fn web(d: &mut Value) -> &mut Value {
    &mut d["containerDefinitions"][0]
}

#[test]
fn a_value_of_another_type_becomes_the_one_right_value() {
    for (pointer, given, right) in [
        (
            "/environment",
            json!([{"name": "PORT", "value": 8080}]),
            json!([{"name": "PORT", "value": "8080"}]),
        ),
        (
            "/environment",
            json!([{"name": "DEBUG", "value": false}, {"name": "ID", "value": -12_345_678_901_i64}]),
            json!([{"name": "DEBUG", "value": "false"}, {"name": "ID", "value": "-12345678901"}]),
        ),
        (
            "/portMappings",
            json!([{"containerPort": "8080"}]),
            json!([{"containerPort": 8080}]),
        ),
        (
            "/portMappings",
            json!([{"containerPort": 8080.0, "hostPort": " 8080 "}]),
            json!([{"containerPort": 8080, "hostPort": 8080}]),
        ),
        ("/memory", json!("1024"), json!(1024)),
        ("/cpu", json!("256"), json!(256)),
        ("/essential", json!("true"), json!(true)),
        ("/readonlyRootFilesystem", json!("False"), json!(false)),
        (
            "/command",
            json!(["serve", "--port", 8080]),
            json!(["serve", "--port", "8080"]),
        ),
        (
            "/dockerLabels",
            json!({"replicas": 3, "com.example.public": true}),
            json!({"replicas": "3", "com.example.public": "true"}),
        ),
        (
            "/healthCheck",
            json!({"command": ["CMD", "true"], "interval": "30"}),
            json!({"command": ["CMD", "true"], "interval": 30}),
        ),
    ] {
        let field = &pointer[1..];
        let (definition, changes) = corrected(|d| web(d)[field] = given.clone());
        assert_eq!(definition["containerDefinitions"][0][field], right);
        assert!(!changes.is_empty(), "{given}");
        assert!(
            changes
                .iter()
                .all(|change| change.contains(&format!("`containerDefinitions[0].{field}"))),
            "{changes:?}"
        );
    }
}

#[test]
fn a_value_without_one_right_value_is_refused_with_its_path() {
    for (expected, field, value) in [
        (
            "`containerDefinitions[0].environment[1].value` is an object, and must be a string",
            "environment",
            json!([{"name": "A", "value": "b"}, {"name": "C", "value": {"d": 1}}]),
        ),
        (
            "`containerDefinitions[0].environment[0].value` is a number with a fraction",
            "environment",
            json!([{"name": "VERSION", "value": 1.10}]),
        ),
        (
            "`containerDefinitions[0].environment` is an object, and must be a list of objects",
            "environment",
            json!({"PORT": "8080"}),
        ),
        (
            "`containerDefinitions[0].portMappings[0].containerPort` is a string",
            "portMappings",
            json!([{"containerPort": "http"}]),
        ),
        (
            "`containerDefinitions[0].memory` is a string",
            "memory",
            json!("1 GB"),
        ),
        (
            "`containerDefinitions[0].essential` is a number, and must be a boolean",
            "essential",
            json!(1),
        ),
        (
            "`containerDefinitions[0].command[1]` is `null`",
            "command",
            json!(["serve", null]),
        ),
        (
            "`containerDefinitions[0].command` is a string, and must be a list of strings",
            "command",
            json!("npm start"),
        ),
        (
            r#"`containerDefinitions[0].dockerLabels["com.example.a"]` is a list"#,
            "dockerLabels",
            json!({"com.example.a": ["b"]}),
        ),
    ] {
        let (code, said) = refused(|d| web(d)[field] = value);
        assert_eq!(code, Code::EcsTaskDefinitionInvalid);
        assert!(said.contains(expected), "{expected}: {said}");
    }
    let (_, said) = refused(|d| d["cpu"] = json!(0.5));
    assert!(said.contains("`cpu` is a number with a fraction"), "{said}");
}

#[test]
fn a_refusal_of_a_type_shows_no_value_and_is_the_only_one_of_its_field() {
    let (_, said) = refused(|d| {
        web(d)["environment"] = json!([{"name": "PASSWORD", "value": ["hunter2"]}]);
    });
    assert!(!said.contains("hunter2"), "{said}");
    for field in ["family", "networkMode", "memory", "executionRoleArn"] {
        let (_, said) = refused(|d| d[field] = json!(["x"]));
        assert_eq!(
            said,
            format!("Invalid input `taskDefinition`: `{field}` is a list, and must be a string")
        );
    }
}

#[test]
fn nothing_is_dropped_where_ecs_takes_it_for_nothing_and_refused_where_it_needs_something() {
    for (field, value) in [
        ("healthCheck", json!({})),
        ("repositoryCredentials", json!({"credentialsParameter": ""})),
        ("logConfiguration", json!({"logDriver": "", "options": {}})),
        ("user", json!("")),
        ("workingDirectory", json!("")),
    ] {
        let (definition, changes) = corrected(|d| web(d)[field] = value);
        assert!(definition["containerDefinitions"][0].get(field).is_none());
        assert_eq!(
            changes,
            [format!(
                "drops `containerDefinitions[0].{field}`, which is empty"
            )]
        );
    }
    let (definition, _) = corrected(|d| {
        d["taskRoleArn"] = json!("");
        d["pidMode"] = json!("");
        web(d)["environment"] = json!([{"name": "EMPTY", "value": ""}]);
        web(d)["restartPolicy"] = json!({"enabled": false});
    });
    assert_eq!(
        definition["containerDefinitions"][0]["restartPolicy"],
        json!({"enabled": false})
    );
    assert!(definition.get("taskRoleArn").is_none() && definition.get("pidMode").is_none());
    assert_eq!(
        definition["containerDefinitions"][0]["environment"],
        json!([{"name": "EMPTY", "value": ""}])
    );
    for (expected, field, value) in [
        (
            "environment[0].value` is missing",
            "environment",
            json!([{"name": "A", "value": null}]),
        ),
        (
            "environment[0].name` is empty",
            "environment",
            json!([{"name": "", "value": "b"}]),
        ),
        (
            "secrets[1].valueFrom` is empty",
            "secrets",
            json!([{"name": "A", "valueFrom": "a"}, {"name": "B", "valueFrom": ""}]),
        ),
        (
            "dependsOn[0].condition` is missing",
            "dependsOn",
            json!([{"containerName": "web"}]),
        ),
        (
            "healthCheck.command` is empty",
            "healthCheck",
            json!({"command": [], "interval": 30}),
        ),
        (
            "mountPoints[0].sourceVolume` is missing",
            "mountPoints",
            json!([{"containerPath": "/data"}]),
        ),
    ] {
        let (_, said) = refused(|d| web(d)[field] = value);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}
