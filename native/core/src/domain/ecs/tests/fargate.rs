//! Demands of Fargate on the whole.

use serde_json::{Value, json};

use super::{corrected, read, refused, with};
use crate::report::code::Code;

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
        (json!("32768"), json!("61440"), true),
        (json!("32768"), json!("122880"), true),
        (json!("32 vCPU"), json!("244 GB"), true),
        (json!("32768"), json!("65536"), false),
        (json!("32 vCPU"), json!("32 GB"), false),
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
    insta::assert_snapshot!(said, @"Invalid input `taskDefinition`: `memory` is 1024 MiB; with `cpu` at 1024, Fargate supports 2048 to 8192 MiB in steps of 1024");
}

#[test]
fn a_size_above_the_table_is_a_warning() {
    for (cpu, memory) in [
        ("65536", "499712"),
        ("48 vCPU", "366 GB"),
        ("32768", "499712"),
    ] {
        let document = with(|d| {
            d["cpu"] = json!(cpu);
            d["memory"] = json!(memory);
        });
        let warnings = read(&document, None).expect("a definition").warnings;
        let codes: Vec<Code> = warnings.iter().map(|warning| warning.code).collect();
        assert_eq!(codes, [Code::EcsSizeUnknown], "{cpu} {memory}");
    }
    // In the middle of the table there is nothing to come.
    let (_, said) = refused(|d| d["memory"] = json!("499712"));
    assert!(said.contains("`memory` is 499712 MiB"), "{said}");
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
        ("`family` is missing", "family", json!("")),
        ("`family` is `a b`", "family", json!("a b")),
        ("`family` is `web<1`", "family", json!("web<1")),
        (
            "`executionRoleArn` is missing",
            "executionRoleArn",
            json!(""),
        ),
        (
            "`executionRoleArn` is `arn:aws:iam::123456789012:policy/x`, which is not",
            "executionRoleArn",
            json!("arn:aws:iam::123456789012:policy/x"),
        ),
        (
            "`taskRoleArn` is `role/web`, which is not",
            "taskRoleArn",
            json!("role/web"),
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
        (
            "`requiresCompatibilities` is a string, and must be a list of strings",
            "requiresCompatibilities",
            json!("FARGATE"),
        ),
        (
            "`runtimePlatform` is a string, and must be an object",
            "runtimePlatform",
            json!("ARM64"),
        ),
        (
            "`volumes[0].host.sourcePath` is set",
            "volumes",
            json!([{"name": "data", "host": {"sourcePath": "/d"}}]),
        ),
        (
            "`volumes[0].dockerVolumeConfiguration` is set",
            "volumes",
            json!([{"name": "data", "dockerVolumeConfiguration": {"scope": "task"}}]),
        ),
        ("at least one container", "containerDefinitions", json!([])),
        (
            "`containerDefinitions[0]` is a string, and must be an object",
            "containerDefinitions",
            json!(["web"]),
        ),
        (
            "`containerDefinitions` is an object, and must be a list",
            "containerDefinitions",
            json!({"name": "web"}),
        ),
    ] {
        let (code, said) = refused(|d| d[field] = value);
        assert_eq!(code, Code::EcsTaskDefinitionInvalid, "{said}");
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
                json!([
                    {"sourceVolume": "data", "containerPath": "/opt/app"},
                    {"sourceVolume": "data", "containerPath": "/opt/CrowdStrike/rootfs-2"},
                ]),
            ),
        ] {
            web[field] = value;
        }
        d["volumes"] = json!([{"name": "data", "host": {}}]);
        d["pidMode"] = json!("task");
    });
    assert_eq!(changes, Vec::<String>::new());
}
