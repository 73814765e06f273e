//! The question if a registered revision is the same as a definition.

use serde_json::{Value, json};

use super::{IMAGE, good, read, with};

/// The answer of `DescribeTaskDefinition` for the good definition with its image, after a change of what is registered.
fn answer(change: impl FnOnce(&mut Value)) -> Vec<u8> {
    let mut registered = with(|d| d["containerDefinitions"][0]["image"] = IMAGE.into());
    registered["taskDefinitionArn"] =
        json!("arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7");
    registered["revision"] = json!(7);
    registered["status"] = json!("ACTIVE");
    registered["volumes"] = json!([]);
    registered["placementConstraints"] = json!([]);
    registered["compatibilities"] = json!(["EC2", "FARGATE"]);
    registered["registeredAt"] = json!(1.5e9);
    let container = &mut registered["containerDefinitions"][0];
    container["cpu"] = json!(0);
    container["essential"] = json!(true);
    for field in [
        "environment",
        "mountPoints",
        "volumesFrom",
        "portMappings",
        "systemControls",
    ] {
        if container.get(field).is_none() {
            container[field] = json!([]);
        }
    }
    change(&mut registered);
    let document = json!({"taskDefinition": registered, "tags": []});
    document.to_string().into_bytes()
}

fn is_same(definition: &Value, answer: &[u8]) -> bool {
    let definition = read(definition, None).expect("a good definition");
    definition.is_registered_as(answer, IMAGE)
}

#[test]
fn what_ecs_adds_by_itself_is_no_difference() {
    assert!(is_same(&good(), &answer(|_| ())));
    let ports = with(|d| {
        d["containerDefinitions"][0]["portMappings"] = json!([{"containerPort": 8080}]);
        d["containerDefinitions"][0]["healthCheck"] = json!({"command": ["CMD", "true"]});
        d["containerDefinitions"][0]["environment"] =
            json!([{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]);
    });
    let registered = answer(|d| {
        let container = &mut d["containerDefinitions"][0];
        container["portMappings"] =
            json!([{"containerPort": 8080, "hostPort": 8080, "protocol": "tcp"}]);
        container["healthCheck"] =
            json!({"command": ["CMD", "true"], "interval": 30, "timeout": 5, "retries": 3});
        container["environment"] =
            json!([{"name": "A", "value": "1"}, {"name": "B", "value": "2"}]);
    });
    assert!(is_same(&ports, &registered));
}

#[test]
fn every_difference_counts() {
    type Change = fn(&mut Value);
    let cases: [Change; 8] = [
        |d| d["containerDefinitions"][0]["image"] = json!("web:1"),
        |d| d["memory"] = json!("4096"),
        |d| d["containerDefinitions"][0]["essential"] = json!(false),
        |d| d["containerDefinitions"][0]["stopTimeout"] = json!(0),
        |d| d["containerDefinitions"][0]["command"] = json!([""]),
        |d| d["containerDefinitions"][0]["environment"] = json!([{"name": "A", "value": ""}]),
        |d| d["tags"] = json!([{"key": "team", "value": "a"}]),
        |d| d["aFieldOfTomorrow"] = json!({"on": true}),
    ];
    for change in cases {
        assert!(!is_same(&good(), &answer(change)));
        assert!(!is_same(&good(), b"no JSON"));
    }
}

#[test]
fn tags_of_aws_are_no_difference() {
    let registered =
        answer(|d| d["tags"] = json!([{"key": "aws:cloudformation:stack-id", "value": "x"}]));
    assert!(is_same(&good(), &registered));
}
