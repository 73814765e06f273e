//! Placeholders that nothing fills in.

use serde_json::{Value, json};

use super::super::placeholder::placeholders;
use super::{corrected, read, refused, with};
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::report::code::Code;

#[test]
fn placeholders_are_reported_by_field_but_not_where_they_can_be_meant() {
    let (code, said) = refused(|d| {
        d["family"] = json!("<task-family-name>");
        d["executionRoleArn"] = json!("arn:aws:iam::<aws-account>:role/<role-name>");
        d["containerDefinitions"][0]["logConfiguration"] = json!({"logDriver": "awslogs", "options":
            {"awslogs-group": "/ecs/<your-log-group>", "awslogs-region": "$(AWS_REGION)"}});
        d["taskRoleArn"] = json!("arn:aws:iam::<aws-account>:role/web");
    });
    assert_eq!(code, Code::EcsPlaceholdersLeft);
    insta::assert_snapshot!(said, @r#"
    Invalid input `taskDefinition`: 5 things must be corrected
    `family` has placeholders that are not filled in: `<task-family-name>` [ECS_PLACEHOLDERS_LEFT]
    `containerDefinitions[0].logConfiguration.options["awslogs-group"]` has placeholders that are not filled in: `<your-log-group>` [ECS_PLACEHOLDERS_LEFT]
    `containerDefinitions[0].logConfiguration.options["awslogs-region"]` has placeholders that are not filled in: `$(AWS_REGION)` [ECS_PLACEHOLDERS_LEFT]
    `executionRoleArn` has placeholders that are not filled in: `<aws-account>`, `<role-name>` [ECS_PLACEHOLDERS_LEFT]
    `taskRoleArn` has placeholders that are not filled in: `<aws-account>` [ECS_PLACEHOLDERS_LEFT]
    "#);
    let (_, changes) = corrected(|d| {
        let web = &mut d["containerDefinitions"][0];
        web["command"] = json!(["sh", "-c", "echo $(date) <in >out"]);
        web["environment"] = json!([{"name": "TITLE", "value": "<b>web</b>"}]);
        web["user"] = json!("a < b > c");
    });
    assert_eq!(changes, Vec::<String>::new());
}

#[test]
fn every_notation_is_recognised_and_other_texts_are_not() {
    for (text, found) in [
        ("#{ImageTag}#", &["#{ImageTag}#"][..]),
        (
            "web:#{Octopus.Release.Number}",
            &["#{Octopus.Release.Number}"],
        ),
        ("${IMAGE}:${TAG:-latest}", &["${IMAGE}", "${TAG:-latest}"]),
        ("{{ image }}", &["{{ image }}"]),
        ("${{ parameters.image }}", &["${{ parameters.image }}"]),
        ("$[variables.image]", &["$[variables.image]"]),
        ("app-__ENV__-web", &["__ENV__"]),
        ("__Build.BuildId__", &["__Build.BuildId__"]),
        ("$(a) and $(a)", &["$(a)"]),
        ("my__service__v1", &[]),
        ("{{.Name}}/{{.ID}}", &[]),
        ("{\"a\": {\"b\": {}}}", &[]),
        ("a < b > c, $((1 + 2)), $[1], #{}, {{}}, ____", &[]),
        ("é<x", &[]),
    ] {
        assert_eq!(placeholders(text), found, "{text}");
    }
}

#[test]
fn placeholders_of_tools_are_refused_in_names_images_and_roles() {
    for (path, change) in [
        (
            "family",
            (|d| d["family"] = json!("web-#{ENV}#")) as fn(&mut Value),
        ),
        ("executionRoleArn", |d| {
            d["executionRoleArn"] = json!("arn:aws:iam::${ACCOUNT}:role/x");
        }),
        ("taskRoleArn", |d| {
            d["taskRoleArn"] = json!("{{ taskRole }}");
        }),
        ("memory", |d| d["memory"] = json!("#{MEMORY}#")),
        ("containerDefinitions[0].name", |d| {
            d["containerDefinitions"][0]["name"] = json!("__NAME__");
        }),
        ("containerDefinitions[1].image", |d| {
            let log = json!({"name": "log", "image": "fluent-bit:__TAG__"});
            d["containerDefinitions"].as_array_mut().unwrap().push(log);
            d["containerDefinitions"][0]["name"] = json!("web");
        }),
        ("containerDefinitions[0].secrets[0].valueFrom", |d| {
            d["containerDefinitions"][0]["secrets"] =
                json!([{"name": "PASSWORD", "valueFrom": "${SECRET_ARN}"}]);
        }),
        ("tags[0].value", |d| {
            d["tags"] = json!([{"key": "stage", "value": "#{STAGE}"}]);
        }),
    ] {
        let document = with(change);
        let wanted =
            (document["containerDefinitions"].as_array().map(Vec::len) == Some(2)).then_some("web");
        let problem = read(&document, wanted).expect_err(path);
        assert_eq!(problem.code, Code::EcsPlaceholdersLeft, "{problem:?}");
        let expected = format!("`{path}` has placeholders");
        assert!(problem.what.contains(&expected), "{}", problem.what);
    }
}

#[test]
fn placeholders_that_a_program_may_mean_are_a_warning() {
    let document = with(|d| {
        let web = &mut d["containerDefinitions"][0];
        web["command"] = json!(["sh", "-c", "exec app --port ${PORT} --now $(date)"]);
        web["entryPoint"] = json!(["/opt/CrowdStrike/rootfs/bin/falcon-entrypoint", "#{ENTRY}#"]);
        web["environment"] = json!([
            {"name": "VERSION", "value": "{{ version }}"},
            {"name": "BUILD", "value": "$(Build.BuildId)"},
            {"name": "MODULE", "value": "__main__"},
            {"name": "STAGE", "value": "__STAGE__"},
        ]);
        web["logConfiguration"] = json!({"logDriver": "splunk", "options":
            {"tag": "{{.Name}}/{{.ID}}", "splunk-url": "https://#{SPLUNK}#"}});
    });
    let warnings = read(&document, None).expect("a definition").warnings;
    let [warning] = warnings.as_slice() else {
        panic!("one warning was expected: {warnings:?}");
    };
    assert_eq!(warning.code, Code::EcsPlaceholdersKept);
    insta::assert_snapshot!(warning.message, @r#"Texts that look like placeholders are registered as they are: `${PORT}` in `containerDefinitions[0].command[2]`, `#{ENTRY}#` in `containerDefinitions[0].entryPoint[1]`, `{{ version }}` in `containerDefinitions[0].environment[0].value`, `$(Build.BuildId)` in `containerDefinitions[0].environment[1].value`, `__STAGE__` in `containerDefinitions[0].environment[3].value`, `#{SPLUNK}#` in `containerDefinitions[0].logConfiguration.options["splunk-url"]`; a program in the container may mean them"#);
    let quiet = with(|d| {
        let web = &mut d["containerDefinitions"][0];
        web["command"] = json!(["sh", "-c", "echo $(date) && python -m __main__"]);
        web["logConfiguration"] = json!({"logDriver": "awsfirelens", "options":
            {"awslogs-multiline-pattern": "${X}"}});
    });
    assert_eq!(read(&quiet, None).expect("a definition").warnings, []);
}

#[test]
fn a_later_step_may_fill_in_what_is_not_registered_here() {
    let document = with(|d| {
        d["executionRoleArn"] = json!("#{ROLE}#");
        d["cpu"] = json!("#{CPU}#");
        d["containerDefinitions"][0]["image"] = json!("#{IMAGE}#");
        d["containerDefinitions"][0]["command"] = json!(["${COMMAND}"]);
    });
    let bytes = document.to_string().into_bytes();
    let definition = TaskDefinition::read(&bytes, Wanted::default()).expect("a definition");
    assert_eq!(definition.warnings, []);
    for (field, value) in [("family", "#{FAMILY}#"), ("executionRoleArn", "<role>")] {
        let document = with(|d| d[field] = json!(value));
        let bytes = document.to_string().into_bytes();
        let problem = TaskDefinition::read(&bytes, Wanted::default()).expect_err(field);
        assert_eq!(problem.code, Code::EcsPlaceholdersLeft, "{problem:?}");
    }
}
