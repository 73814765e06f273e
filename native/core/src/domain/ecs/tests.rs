use serde_json::{Value, json};

use super::findings::Origin;
use super::task_definition::{TaskDefinition, Wanted};
use crate::report::code::Code;
use crate::report::problem::Problem;

const IMAGE: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web@sha256:1";

/// A definition that needs no change but the image.
fn good() -> Value {
    json!({
        "family": "web",
        "containerDefinitions": [{
            "name": "web",
            "image": "<account>.dkr.ecr.<region>.amazonaws.com/web:1",
            "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}},
        }],
        "cpu": "1024",
        "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
        "memory": "3072",
        "networkMode": "awsvpc",
        "requiresCompatibilities": ["FARGATE"],
        "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
    })
}

fn with(change: impl FnOnce(&mut Value)) -> Value {
    let mut document = good();
    change(&mut document);
    document
}

fn read(document: &Value, wanted: Option<&str>) -> Result<TaskDefinition, Problem> {
    TaskDefinition::read(document.to_string().as_bytes(), registered(wanted))
}

/// A definition that is registered, so that all of it must be there.
fn registered(container: Option<&str>) -> Wanted<'_> {
    Wanted {
        container,
        is_registered: true,
        origin: Origin::File,
    }
}

fn finished(definition: &TaskDefinition) -> Value {
    serde_json::from_str(&definition.with_image(IMAGE)).expect("JSON")
}

/// The definition after a change that the task corrects, and what it says of that.
fn corrected(change: impl FnOnce(&mut Value)) -> (Value, Vec<String>) {
    let definition = read(&with(change), None).expect("nothing that a person has to correct");
    (finished(&definition), definition.changes)
}

/// Everything that a person is told to correct.
fn refused(change: impl FnOnce(&mut Value)) -> (Code, String) {
    let problem = read(&with(change), None).expect_err("something to correct");
    (
        problem.code,
        [vec![problem.what], problem.why].concat().join("\n"),
    )
}

#[test]
fn a_definition_that_is_right_gets_the_image_and_nothing_else() {
    let definition = read(&good(), Some("web")).expect("a good definition");
    assert_eq!(definition.changes, Vec::<String>::new());
    assert!(definition.warnings.is_empty());
    assert_eq!(
        (definition.family.as_str(), definition.container.as_str()),
        ("web", "web")
    );
    let expected = with(|d| d["containerDefinitions"][0]["image"] = IMAGE.into());
    assert_eq!(finished(&definition), expected);
}

#[test]
fn order_and_unknown_fields_survive() {
    let text = r#"{
        "zeta": {"b": 1, "a": [2.50, 12345678901234567890]},
        "taskDefinitionArn": "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7",
        "memory": "2 GB",
        "containerDefinitions": [{"newField": true, "name": "web", "image": "x", "environment": []}],
        "family": "web",
        "cpu": "1 vCPU",
        "executionRoleArn": "arn:aws:iam::123456789012:role/x"
    }"#;
    let definition =
        TaskDefinition::read(text.as_bytes(), Wanted::default()).expect("a good definition");
    insta::assert_snapshot!(definition.with_image("r/web@sha256:1"), @r#"
    {
      "zeta": {
        "b": 1,
        "a": [
          2.5,
          12345678901234567890
        ]
      },
      "memory": "2 GB",
      "containerDefinitions": [
        {
          "newField": true,
          "name": "web",
          "image": "r/web@sha256:1",
          "environment": [],
          "linuxParameters": {
            "capabilities": {
              "add": [
                "SYS_PTRACE"
              ]
            }
          }
        }
      ],
      "family": "web",
      "cpu": "1 vCPU",
      "executionRoleArn": "arn:aws:iam::123456789012:role/x",
      "requiresCompatibilities": [
        "FARGATE"
      ],
      "networkMode": "awsvpc",
      "runtimePlatform": {
        "cpuArchitecture": "ARM64",
        "operatingSystemFamily": "LINUX"
      }
    }
    "#);
    insta::assert_snapshot!(definition.changes.join("\n"), @r"
    drops what only ECS writes: `taskDefinitionArn`
    adds `FARGATE` to `requiresCompatibilities`
    sets `networkMode` to `awsvpc`, without which it would be `bridge`
    sets `runtimePlatform.cpuArchitecture` to `ARM64`
    sets `runtimePlatform.operatingSystemFamily` to `LINUX`
    adds `SYS_PTRACE` to `containerDefinitions[0].linuxParameters.capabilities.add`
    ");
}

#[test]
fn the_answer_of_describe_becomes_what_register_takes() {
    let described = with(|d| {
        for field in [
            "taskDefinitionArn",
            "status",
            "registeredBy",
            "registeredAt",
            "deregisteredAt",
            "deleteRequestedAt",
        ] {
            d[field] = json!("x");
        }
        d["revision"] = json!(7);
        d["requiresAttributes"] = json!([{"name": "ecs.capability.task-eni"}]);
        d["compatibilities"] = json!(["EC2", "FARGATE"]);
        d["containerDefinitions"][0]["healthCheck"] = Value::Null;
    });
    let tags = json!([{"key": "team", "value": "a"}, {"key": "aws:cloudformation:stack-name", "value": "b"}]);
    let answer = json!({"taskDefinition": described, "tags": tags});
    let definition = read(&answer, None).expect("a good definition");
    let expected = with(|d| {
        d["containerDefinitions"][0]["image"] = IMAGE.into();
        d["tags"] = json!([{"key": "team", "value": "a"}]);
    });
    assert_eq!(finished(&definition), expected);
    assert!(
        definition
            .changes
            .iter()
            .any(|change| change.contains("only AWS may set"))
    );
    let untagged = json!({"taskDefinition": good(), "tags": []});
    let definition = read(&untagged, None).expect("a good definition");
    assert!(finished(&definition).get("tags").is_none());
}

#[test]
fn a_list_of_tags_that_is_empty_is_dropped() {
    let reserved = json!([{"key": "aws:cloudformation:stack-name", "value": "b"}]);
    for (tags, changes) in [
        (json!([]), &["drops `tags`, which is empty"][..]),
        (reserved, &["drops the tags that only AWS may set"]),
        (Value::Null, &[]),
    ] {
        let (definition, changed) = corrected(|d| d["tags"] = tags.clone());
        assert!(definition.get("tags").is_none(), "{tags}");
        assert_eq!(changed, changes, "{tags}");
    }
}

#[test]
fn files_of_windows_are_read_by_their_mark_and_written_in_utf8() {
    let text = format!("\u{feff}{}", good());
    let utf16 =
        |bytes: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(bytes).collect() };
    for (bytes, changes) in [
        (text.clone().into_bytes(), 0),
        (utf16(u16::to_le_bytes), 1),
        (utf16(u16::to_be_bytes), 1),
    ] {
        let definition = TaskDefinition::read(&bytes, registered(None)).expect("a definition");
        assert_eq!(definition.changes.len(), changes);
        assert_eq!(definition.family, "web");
    }
    let latin1 = TaskDefinition::read(b"{\"family\": \"\xe9\"}", Wanted::default());
    let problem = latin1.expect_err("no text");
    assert_eq!(problem.code, Code::EcsTaskDefinitionUnreadable);
}

#[test]
fn what_is_no_task_definition_is_said_to_be_none() {
    for (text, said) in [
        ("{\"family\": ", "is not JSON: EOF while parsing"),
        ("[{\"name\": \"web\"}]", "one JSON object"),
        ("{\"family\": \"web\"}", "no `containerDefinitions`"),
    ] {
        let problem = TaskDefinition::read(text.as_bytes(), Wanted::default()).expect_err(text);
        assert_eq!(problem.code, Code::EcsTaskDefinitionUnreadable, "{text}");
        assert!(problem.what.contains(said), "{}", problem.what);
    }
}

#[test]
fn everything_that_is_wrong_is_told_at_once() {
    let problem = read(
        &with(|d| {
            d["memory"] = json!("1");
            d["family"] = json!("<family>");
            d["networkMode"] = json!("host");
        }),
        Some("wbe"),
    );
    let problem = problem.expect_err("several things to correct");
    assert_eq!(problem.code, Code::EcsTaskDefinitionInvalid);
    assert_eq!(
        problem.what,
        "Invalid input `taskDefinition`: 4 things must be corrected"
    );
    insta::assert_snapshot!(problem.why.join("\n"), @r"
    `containerDefinitions` has no container named `wbe`, but `web`; did you mean `web`? [ECS_CONTAINER_UNCLEAR]
    `family` has placeholders that are not filled in: `<family>` [ECS_PLACEHOLDERS_LEFT]
    `networkMode` is `host`, and Fargate supports only `awsvpc` [ECS_TASK_DEFINITION_INVALID]
    `memory` is 1 MiB; with `cpu` at 1024, Fargate supports 2048 to 8192 MiB in steps of 1024 [ECS_TASK_DEFINITION_INVALID]
    ");
}

mod container;
mod equivalence;
mod fargate;
mod limits;
mod mutations;
mod placeholders;
mod references;
mod types;
