//! Names that must be unique or must name something, and the order of starting.

use serde_json::{Value, json};

use super::{read, with};
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::report::code::Code;

/// The good definition with a second container, `log`, after a change of both.
fn with_two(change: impl FnOnce(&mut Value, &mut Value)) -> Value {
    with(|d| {
        let mut log = json!({"name": "log", "image": "fluent-bit:1", "essential": false});
        change(&mut d["containerDefinitions"][0], &mut log);
        d["containerDefinitions"].as_array_mut().unwrap().push(log);
        d["volumes"] = json!([{"name": "data"}]);
    })
}

fn check(change: impl FnOnce(&mut Value, &mut Value)) -> Result<(), String> {
    let read = read(&with_two(change), Some("web"));
    read.map(|_| ()).map_err(|problem| {
        assert_eq!(problem.code, Code::EcsTaskDefinitionInvalid, "{problem:?}");
        problem.what
    })
}

/// A change of both containers.
type Change = fn(&mut Value, &mut Value);

#[test]
fn names_must_be_unique_and_name_something() {
    let cases: [(&str, Change); 13] = [
        (
            "`containerDefinitions[1].name` is `web`, which is the name of `containerDefinitions[0]`",
            |_, log| log["name"] = json!("web"),
        ),
        ("`containerDefinitions[1].name` is missing", |_, log| {
            log["name"] = Value::Null;
        }),
        ("`containerDefinitions[1].image` is missing", |_, log| {
            log["image"] = Value::Null;
        }),
        ("`containerDefinitions[1].image` is missing", |_, log| {
            log["image"] = json!("");
        }),
        (
            "`containerDefinitions[0].dependsOn[0].containerName` is `lgo`, and no container",
            |web, _| web["dependsOn"] = json!([{"containerName": "lgo", "condition": "START"}]),
        ),
        (
            "`containerDefinitions[0].mountPoints[0].sourceVolume` is `date`, and `volumes` has none",
            |web, _| {
                web["mountPoints"] = json!([{"sourceVolume": "date", "containerPath": "/data"}]);
            },
        ),
        (
            "`containerDefinitions[1].volumesFrom[0].sourceContainer` is `api`",
            |_, log| log["volumesFrom"] = json!([{"sourceContainer": "api"}]),
        ),
        (
            "`containerDefinitions[0].secrets[0].name` is `A`, and another",
            |web, _| {
                web["environment"] = json!([{"name": "A", "value": "b"}]);
                web["secrets"] = json!([{"name": "A", "valueFrom": "c"}]);
            },
        ),
        (
            "`containerDefinitions[0].secrets[1].name` is `A`, and another",
            |web, _| {
                web["secrets"] =
                    json!([{"name": "A", "valueFrom": "c"}, {"name": "A", "valueFrom": "d"}]);
            },
        ),
        (
            "`containerDefinitions[0].essential` is `false`, as in all",
            |web, _| web["essential"] = json!(false),
        ),
        (
            "`containerDefinitions[0].dependsOn[0].condition` is `HEALTHY`, but that container has no",
            |web, _| web["dependsOn"] = json!([{"containerName": "log", "condition": "HEALTHY"}]),
        ),
        (
            "`containerDefinitions[1].dependsOn[0].condition` is `SUCCESS`, but that container is essential",
            |_, log| log["dependsOn"] = json!([{"containerName": "web", "condition": "SUCCESS"}]),
        ),
        (
            "`containerDefinitions[0].dependsOn` waits for itself: `web` → `web`",
            |web, _| web["dependsOn"] = json!([{"containerName": "web", "condition": "START"}]),
        ),
    ];
    for (expected, change) in cases {
        let said = check(change).expect_err(expected);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn containers_may_depend_on_each_other_without_a_circle() {
    let good: [Change; 4] = [
        |_, _| {},
        |web, log| {
            log["healthCheck"] = json!({"command": ["CMD", "true"]});
            web["dependsOn"] = json!([{"containerName": "log", "condition": "HEALTHY"}]);
        },
        |web, _| web["dependsOn"] = json!([{"containerName": "log", "condition": "COMPLETE"}]),
        |web, log| {
            web["mountPoints"] = json!([{"sourceVolume": "data", "containerPath": "/data"}]);
            log["volumesFrom"] = json!([{"sourceContainer": "web"}]);
            log["dependsOn"] = json!([{"containerName": "web", "condition": "START"}]);
        },
    ];
    for change in good {
        assert_eq!(check(change), Ok(()));
    }
    let said = check(|web, log| {
        web["dependsOn"] = json!([{"containerName": "log", "condition": "START"}]);
        log["dependsOn"] = json!([{"containerName": "web", "condition": "START"}]);
    });
    let said = said.expect_err("a circle");
    assert!(said.ends_with("`web` → `log` → `web`"), "{said}");
}

#[test]
fn a_circle_is_found_behind_containers_that_only_wait_for_it() {
    let wait = |name: &str, other: &str| {
        json!({"name": name, "image": "x:1",
            "dependsOn": [{"containerName": other, "condition": "START"}]})
    };
    let document = with(|d| {
        let web = wait("web", "a");
        d["containerDefinitions"] = json!([web, wait("a", "b"), wait("b", "c"), wait("c", "a")]);
    });
    let problem = read(&document, Some("web")).expect_err("a circle");
    assert!(
        problem.what.ends_with("`a` → `b` → `c` → `a`"),
        "{}",
        problem.what
    );
}

#[test]
fn the_images_of_other_containers_may_come_later_without_a_registration() {
    let document = with_two(|_, log| log["image"] = Value::Null);
    let wanted = Wanted {
        container: Some("web"),
        is_registered: false,
        ..Wanted::default()
    };
    assert!(TaskDefinition::read(document.to_string().as_bytes(), wanted).is_ok());
}
