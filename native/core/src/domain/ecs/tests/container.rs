//! The container that gets the image.

use serde_json::{Value, json};

use super::{IMAGE, corrected, finished, read, refused, registered, with};
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::report::code::Code;

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
    insta::assert_snapshot!(unclear.what, @"Invalid input `taskDefinition`: `containerDefinitions` has 2 containers: `log_router`, `web`");
    let unknown = read(&two, Some("wed")).expect_err("no such container");
    assert_eq!(unknown.code, Code::EcsContainerUnclear);
    insta::assert_snapshot!(unknown.what, @"Invalid input `taskDefinition`: `containerDefinitions` has no container named `wed`, but `log_router`, `web`; did you mean `web`?");
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
        ..Wanted::default()
    };
    let first = TaskDefinition::read(two.to_string().as_bytes(), first).expect("a good definition");
    let second = TaskDefinition::read(
        first.with_image(IMAGE).as_bytes(),
        registered(Some("worker")),
    );
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
    assert_eq!(
        changes,
        ["adds `SYS_PTRACE` to `containerDefinitions[0].linuxParameters.capabilities.add`"]
    );
    let (code, said) = refused(|d| {
        d["containerDefinitions"][0]["linuxParameters"]["capabilities"]["drop"] =
            json!(["SYS_PTRACE"]);
    });
    assert_eq!(code, Code::EcsTaskDefinitionInvalid);
    assert!(
        said.contains(
            "`containerDefinitions[0].linuxParameters.capabilities.drop[0]` is `SYS_PTRACE`"
        ),
        "{said}"
    );
    let (_, said) = refused(|d| {
        d["containerDefinitions"][0]["linuxParameters"]["capabilities"]["add"] =
            json!(["NET_ADMIN"]);
    });
    assert!(
        said.contains("capabilities.add[0]` is `NET_ADMIN`"),
        "{said}"
    );
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
    let falcon = crate::domain::falcon::options::FALCON_ENTRYPOINT;
    assert_eq!(
        entrypoint(json!(["/app", "-v"])),
        (json!([falcon, "/app", "-v"]), 1)
    );
    assert_eq!(entrypoint(json!([])), (json!([]), 0));
    assert_eq!(
        entrypoint(json!([falcon, "/app"])),
        (json!([falcon, "/app"]), 0)
    );
    for (behind, moved) in [
        (
            json!(["/tini", "--", falcon, "/app"]),
            json!([falcon, "/tini", "--", "/app"]),
        ),
        (json!(["env", falcon]), json!([falcon, "env"])),
        (json!(["/app", "-v", falcon]), json!([falcon, "/app", "-v"])),
    ] {
        assert_eq!(entrypoint(behind), (moved, 1));
    }
    // A word that only holds the path is another program's.
    let script = json!(["sh", "-c", format!("exec {falcon} /app")]);
    assert_eq!(entrypoint(script).0[0], falcon);
}

#[test]
fn what_cannot_be_guessed_of_a_container_is_refused() {
    for (expected, field, value) in [
        ("privileged` is set", "privileged", json!(true)),
        ("links` is set", "links", json!(["db"])),
        ("hostname` is set", "hostname", json!("web")),
        (
            "resourceRequirements` is set",
            "resourceRequirements",
            json!([{"type": "GPU", "value": "1"}]),
        ),
        (
            "linuxParameters.sharedMemorySize` is set",
            "linuxParameters",
            json!({"sharedMemorySize": 64}),
        ),
        (
            "portMappings[0].hostPort` is 80, and `awsvpc` demands the `containerPort`, 8080",
            "portMappings",
            json!([{"containerPort": 8080, "hostPort": 80}]),
        ),
        (
            "environment[0].value` is `api`",
            "environment",
            json!([{"name": "CS_CONTAINER", "value": "api"}]),
        ),
        (
            "mountPoints[0].containerPath` is `/opt/`, and hides the sensor",
            "mountPoints",
            json!([{"sourceVolume": "data", "containerPath": "/opt/"}]),
        ),
        (
            "linuxParameters` is a list, and must be an object",
            "linuxParameters",
            json!([]),
        ),
        ("[0].name` is missing", "name", Value::Null),
        ("[0].name` is missing", "name", json!("")),
        ("[0].name` is `my web`", "name", json!("my web")),
        (
            "logConfiguration.logDriver` is `json-file`",
            "logConfiguration",
            json!({"logDriver": "json-file"}),
        ),
        (
            "logConfiguration.logDriver` is `fluentd`",
            "logConfiguration",
            json!({"logDriver": "fluentd", "options": {}}),
        ),
        (
            r#"logConfiguration.options["awslogs-region"]` is missing or empty"#,
            "logConfiguration",
            json!({"logDriver": "awslogs", "options": {"awslogs-group": "web", "awslogs-region": ""}}),
        ),
    ] {
        let (_, said) = refused(|d| d["containerDefinitions"][0][field] = value);
        assert!(said.contains(expected), "{expected}: {said}");
    }
}

#[test]
fn what_may_keep_the_sensor_from_working_is_warned_of() {
    let document = with(|d| {
        d["containerDefinitions"][0]["readonlyRootFilesystem"] = json!(true);
        d["containerDefinitions"][0]["environment"] =
            json!([{"name": "FALCONCTL_OPTS", "value": "--tags=web"}]);
    });
    let warnings = read(&document, None).expect("a definition").warnings;
    assert!(
        warnings
            .iter()
            .all(|warning| warning.code == Code::EcsSensorAtRisk)
    );
    let messages: Vec<String> = warnings
        .into_iter()
        .map(|warning| warning.message)
        .collect();
    insta::assert_snapshot!(messages.join("\n"), @r"
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
