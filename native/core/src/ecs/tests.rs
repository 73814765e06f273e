use serde_json::{Value, json};

use super::{TaskDefinition, Wanted};
use crate::error::{Code, Problem};

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
    TaskDefinition::read(&document.to_string(), registered(wanted))
}

/// A definition that is registered, so that all of it has to be there.
fn registered(container: Option<&str>) -> Wanted<'_> {
    Wanted {
        container,
        is_registered: true,
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
    assert_eq!(definition.warnings, Vec::<String>::new());
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
    let definition = TaskDefinition::read(text, Wanted::default()).expect("a good definition");
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
    adds the capability `SYS_PTRACE` to `web`
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
fn the_mark_of_windows_editors_is_no_obstacle() {
    let text = format!("\u{feff}{}", good());
    assert!(TaskDefinition::read(&text, Wanted::default()).is_ok());
}

#[test]
fn what_is_no_task_definition_is_said_to_be_none() {
    for (text, said) in [
        ("{\"family\": ", "is not JSON: EOF while parsing"),
        ("[{\"name\": \"web\"}]", "one JSON object"),
        ("{\"family\": \"web\"}", "no `containerDefinitions`"),
    ] {
        let problem = TaskDefinition::read(text, Wanted::default()).expect_err(text);
        assert_eq!(problem.code, Code::EcsTaskDefinitionUnreadable, "{text}");
        assert!(problem.what.contains(said), "{}", problem.what);
    }
}

#[test]
fn the_container_is_the_named_one_or_the_only_one() {
    let two = with(|d| {
        let log = json!({"name": "log_router", "image": "fluent-bit:1"});
        d["containerDefinitions"]
            .as_array_mut()
            .unwrap()
            .insert(0, log);
    });
    let definition = read(&two, Some("web")).expect("a good definition");
    let finished = finished(&definition);
    assert_eq!(finished["containerDefinitions"][0]["image"], "fluent-bit:1");
    assert_eq!(finished["containerDefinitions"][1]["image"], IMAGE);
    assert!(
        finished["containerDefinitions"][0]
            .get("linuxParameters")
            .is_none()
    );
    let unclear = read(&two, None).expect_err("two containers");
    assert_eq!(unclear.code, Code::EcsContainerUnclear);
    insta::assert_snapshot!(unclear.what, @"Invalid input `taskDefinition`: there are 2 containers: `log_router`, `web`");
    let unknown = read(&two, Some("wed")).expect_err("no such container");
    assert_eq!(unknown.code, Code::EcsContainerUnclear);
    insta::assert_snapshot!(unknown.what, @"Invalid input `taskDefinition`: no container is named `wed`, but `log_router`, `web`; did you mean `web`?");
    let far = read(&two, Some("x")).expect_err("no such container");
    assert!(!far.what.contains("did you mean"), "{}", far.what);
}

#[test]
fn a_definition_with_a_sensor_from_elsewhere_is_refused() {
    let (code, said) = refused(|d| {
        let init = json!({"name": "crowdstrike-falcon-init-container"});
        d["containerDefinitions"].as_array_mut().unwrap().push(init);
    });
    assert_eq!(code, Code::EcsTaskDefinitionInvalid);
    assert!(said.contains("brings a sensor already"), "{said}");
}

#[test]
fn what_was_written_for_one_container_is_good_for_the_next() {
    let two = with(|d| {
        let mut worker = d["containerDefinitions"][0].clone();
        worker["name"] = json!("worker");
        d["containerDefinitions"]
            .as_array_mut()
            .unwrap()
            .push(worker);
    });
    let first = Wanted {
        container: Some("web"),
        is_registered: false,
    };
    let first = TaskDefinition::read(&two.to_string(), first).expect("a good definition");
    let second = TaskDefinition::read(&first.with_image(IMAGE), registered(Some("worker")));
    let second = second.expect("a good definition");
    assert_eq!(second.changes, Vec::<String>::new());
    let images = finished(&second)["containerDefinitions"].clone();
    assert_eq!(
        (&images[0]["image"], &images[1]["image"]),
        (&json!(IMAGE), &json!(IMAGE))
    );
    let missing = read(&two, Some("web")).expect_err("the image of `worker`");
    assert_eq!(missing.code, Code::EcsPlaceholdersLeft);
}

#[test]
fn the_capability_is_added_beside_what_is_there() {
    let add = |d: &Value| d["containerDefinitions"][0]["linuxParameters"].clone();
    let (definition, changes) = corrected(|d| {
        d["containerDefinitions"][0]["linuxParameters"] =
            json!({"initProcessEnabled": true, "capabilities": {"drop": ["NET_RAW"]}});
    });
    assert_eq!(
        add(&definition),
        json!({"initProcessEnabled": true, "capabilities": {"drop": ["NET_RAW"], "add": ["SYS_PTRACE"]}})
    );
    assert_eq!(changes, ["adds the capability `SYS_PTRACE` to `web`"]);
    let (code, said) = refused(|d| {
        d["containerDefinitions"][0]["linuxParameters"]["capabilities"]["drop"] =
            json!(["SYS_PTRACE"]);
    });
    assert_eq!(code, Code::EcsTaskDefinitionInvalid);
    assert!(said.contains("`capabilities.drop`"), "{said}");
    let (_, said) = refused(|d| {
        d["containerDefinitions"][0]["linuxParameters"]["capabilities"]["add"] =
            json!(["NET_ADMIN"]);
    });
    assert!(said.contains("\"NET_ADMIN\""), "{said}");
}

#[test]
fn an_entrypoint_that_bypasses_falcon_gets_it_in_front() {
    let entrypoint = |words: Value| {
        let (definition, changes) =
            corrected(|d| d["containerDefinitions"][0]["entryPoint"] = words);
        (
            definition["containerDefinitions"][0]["entryPoint"].clone(),
            changes.len(),
        )
    };
    let falcon = crate::falcon::FALCON_ENTRYPOINT;
    assert_eq!(
        entrypoint(json!(["/app", "-v"])),
        (json!([falcon, "/app", "-v"]), 1)
    );
    assert_eq!(entrypoint(json!([])), (json!([]), 0));
    assert_eq!(
        entrypoint(json!([falcon, "/app"])),
        (json!([falcon, "/app"]), 0)
    );
    let behind_init = json!(["/tini", "--", falcon, "/app"]);
    assert_eq!(entrypoint(behind_init.clone()), (behind_init, 0));
    let (_, said) = refused(|d| d["containerDefinitions"][0]["entryPoint"] = json!("/app"));
    assert!(said.contains("has to be a list"), "{said}");
}

#[test]
fn a_definition_for_another_processor_is_moved_to_arm64_but_not_one_for_windows() {
    let (definition, changes) =
        corrected(|d| d["runtimePlatform"]["cpuArchitecture"] = json!("X86_64"));
    assert_eq!(definition["runtimePlatform"]["cpuArchitecture"], "ARM64");
    assert_eq!(
        changes,
        [r#"sets `runtimePlatform.cpuArchitecture` to `ARM64`; it was "X86_64""#]
    );
    let (_, said) = refused(|d| {
        d["runtimePlatform"]["operatingSystemFamily"] = json!("WINDOWS_SERVER_2022_CORE");
    });
    assert!(said.contains("WINDOWS_SERVER_2022_CORE"), "{said}");
}

#[test]
fn fargate_is_added_to_what_is_demanded() {
    let (definition, _) = corrected(|d| d["requiresCompatibilities"] = json!(["EC2"]));
    assert_eq!(
        definition["requiresCompatibilities"],
        json!(["EC2", "FARGATE"])
    );
}

#[test]
fn only_the_sizes_of_fargate_are_taken() {
    for (cpu, memory, is_good) in [
        (json!("256"), json!("512"), true),
        (json!("256"), json!("1536"), false),
        (json!(".25 vCPU"), json!("0.5 GB"), true),
        (json!("0.5vcpu"), json!("4GB"), true),
        (json!("512"), json!("5120"), false),
        (json!("1024"), json!("1024"), false),
        (json!("1 vCPU"), json!("8 GB"), true),
        (json!("2048"), json!("4500"), false),
        (json!("4 vCPU"), json!("30 GB"), true),
        (json!("8192"), json!("18 GB"), false),
        (json!("8192"), json!("20 GB"), true),
        (json!("16 vCPU"), json!("120 GB"), true),
        (json!("16384"), json!("122881"), false),
        (json!("1000"), json!("2048"), false),
        (json!("one"), json!("2048"), false),
        (json!("1024"), json!("2 gigabytes"), false),
        (json!("1024"), json!(" GB"), false),
        (json!(true), json!("2048"), false),
    ] {
        let document = with(|d| {
            d["cpu"] = cpu.clone();
            d["memory"] = memory.clone();
        });
        let read = read(&document, None);
        assert_eq!(read.is_ok(), is_good, "{cpu} {memory}: {read:?}");
    }
    let (_, said) = refused(|d| d["memory"] = json!("1024"));
    insta::assert_snapshot!(said, @"Invalid input `taskDefinition`: `memory` is 1024 MiB, and with `cpu` at 1024 Fargate has 2048 to 8192 MiB in steps of 1024");
}

#[test]
fn numbers_become_the_texts_that_ecs_takes() {
    let (definition, changes) = corrected(|d| {
        d["cpu"] = json!(512);
        d["memory"] = json!(1024);
    });
    assert_eq!(
        (&definition["cpu"], &definition["memory"]),
        (&json!("512"), &json!("1024"))
    );
    assert_eq!(changes.len(), 2);
}

#[test]
fn what_cannot_be_guessed_is_refused() {
    for (expected, field, value) in [
        ("`family` is missing", "family", Value::Null),
        ("`family` is `a b`", "family", json!("a b")),
        (
            "`executionRoleArn` is missing",
            "executionRoleArn",
            json!(""),
        ),
        ("`cpu` is missing", "cpu", Value::Null),
        ("`memory` is missing", "memory", Value::Null),
        ("`networkMode` is `bridge`", "networkMode", json!("bridge")),
        ("`ipcMode` is set", "ipcMode", json!("task")),
        ("`pidMode` is `host`", "pidMode", json!("host")),
        (
            "Constraints` is set",
            "placementConstraints",
            json!([{"type": "memberOf"}]),
        ),
        ("to be a list", "requiresCompatibilities", json!("FARGATE")),
        ("to be an object", "runtimePlatform", json!("ARM64")),
        (
            "the volume `data`",
            "volumes",
            json!([{"name": "data", "host": {"sourcePath": "/d"}}]),
        ),
        ("at least one container", "containerDefinitions", json!([])),
        (
            "has to be an object",
            "containerDefinitions",
            json!(["web"]),
        ),
    ] {
        let (code, said) = refused(|d| d[field] = value);
        assert_eq!(code, Code::EcsTaskDefinitionInvalid, "{said}");
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn what_cannot_be_guessed_of_a_container_is_refused() {
    for (expected, field, value) in [
        ("`privileged` is set", "privileged", json!(true)),
        ("`links` is set", "links", json!(["db"])),
        (
            "`sharedMemorySize` is set",
            "linuxParameters",
            json!({"sharedMemorySize": 64}),
        ),
        (
            "`hostPort` 80 is not its `containerPort` 8080",
            "portMappings",
            json!([{"containerPort": 8080, "hostPort": 80}]),
        ),
        (
            "`CS_CONTAINER` in its `environment` is `api`",
            "environment",
            json!([{"name": "CS_CONTAINER", "value": "api"}]),
        ),
        (
            "the volume at `/opt/` hides the sensor",
            "mountPoints",
            json!([{"containerPath": "/opt/"}]),
        ),
        (
            "`linuxParameters` has to be an object",
            "linuxParameters",
            json!([]),
        ),
        ("the container has no `name`", "name", Value::Null),
    ] {
        let (_, said) = refused(|d| d["containerDefinitions"][0][field] = value);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn what_fargate_takes_for_nothing_is_nothing() {
    let (_, changes) = corrected(|d| {
        let web = &mut d["containerDefinitions"][0];
        for (field, value) in [
            ("privileged", json!(false)),
            ("links", json!([])),
            (
                "portMappings",
                json!([{"containerPort": 8080, "hostPort": 8080}, {"containerPort": 9}]),
            ),
            (
                "environment",
                json!([{"name": "CS_CONTAINER", "value": "web"}]),
            ),
            (
                "mountPoints",
                json!([{"containerPath": "/opt/app"}, {"containerPath": "/opt/CrowdStrike/rootfs-2"}]),
            ),
        ] {
            web[field] = value;
        }
        d["volumes"] = json!([{"name": "data", "host": {}}]);
        d["pidMode"] = json!("task");
    });
    assert_eq!(changes, Vec::<String>::new());
}

#[test]
fn what_may_keep_the_sensor_from_working_is_warned_of() {
    let document = with(|d| {
        d["containerDefinitions"][0]["readonlyRootFilesystem"] = json!(true);
        d["containerDefinitions"][0]["environment"] =
            json!([{"name": "FALCONCTL_OPTS", "value": "--tags=web"}]);
    });
    let warnings = read(&document, None).expect("a definition").warnings;
    insta::assert_snapshot!(warnings.join("\n"), @r"
    `FALCONCTL_OPTS` in the `environment` of `web` replaces the image's and holds no `--cid`, so the sensor would not know its customer
    `web` has `readonlyRootFilesystem`, and the sensor may have to write to the root file system
    ");
    let with_customer = with(|d| {
        d["containerDefinitions"][0]["environment"] =
            json!([{"name": "FALCONCTL_OPTS", "value": "--cid=0"}]);
    });
    assert!(
        read(&with_customer, None)
            .expect("a definition")
            .warnings
            .is_empty()
    );
}

#[test]
fn placeholders_are_told_each_once_but_not_where_they_can_be_meant() {
    let (code, said) = refused(|d| {
        d["family"] = json!("<task-family-name>");
        d["executionRoleArn"] = json!("arn:aws:iam::<aws-account>:role/<role-name>");
        d["containerDefinitions"][0]["logConfiguration"]["options"] =
            json!({"awslogs-group": "/ecs/<your-log-group>", "awslogs-region": "$(AWS_REGION)"});
        d["taskRoleArn"] = json!("arn:aws:iam::<aws-account>:role/web");
    });
    assert_eq!(code, Code::EcsPlaceholdersLeft);
    insta::assert_snapshot!(said, @"Invalid input `taskDefinition`: placeholders are not filled in: `<task-family-name>`, `<your-log-group>`, `$(AWS_REGION)`, `<aws-account>`, `<role-name>`");
    let (_, changes) = corrected(|d| {
        let web = &mut d["containerDefinitions"][0];
        web["command"] = json!(["sh", "-c", "echo $(date) <in >out"]);
        web["environment"] = json!([{"name": "TITLE", "value": "<b>web</b>"}]);
        web["user"] = json!("a < b > c");
    });
    assert_eq!(changes, Vec::<String>::new());
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
        "Invalid input `taskDefinition`: 4 things have to be corrected"
    );
    insta::assert_snapshot!(problem.why.join("\n"), @r"
    no container is named `wbe`, but `web`; did you mean `web`? [ECS_CONTAINER_UNCLEAR]
    placeholders are not filled in: `<family>` [ECS_PLACEHOLDERS_LEFT]
    `networkMode` is `host`, and Fargate takes `awsvpc` alone [ECS_TASK_DEFINITION_INVALID]
    `memory` is 1 MiB, and with `cpu` at 1024 Fargate has 2048 to 8192 MiB in steps of 1024 [ECS_TASK_DEFINITION_INVALID]
    ");
}
