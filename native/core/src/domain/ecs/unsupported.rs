//! Parts of a task definition that Fargate does not have.
//!
//! From <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html> and the reference of
//! each field. ECS would refuse them when the definition is registered.

use serde_json::{Map, Value};

use super::field::{container_path, containers, elements, field_path, is_set};
use super::findings::Findings;

/// Fields of the whole definition.
const OF_TASKS: [&str; 3] = ["inferenceAccelerators", "ipcMode", "placementConstraints"];

/// Fields of a container. `awsvpc` has no `hostname`; GPUs are what `resourceRequirements` is for.
const OF_CONTAINERS: [&str; 9] = [
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "dockerSecurityOptions",
    "extraHosts",
    "hostname",
    "links",
    "privileged",
    "resourceRequirements",
];

/// Fields of `linuxParameters`.
const OF_LINUX: [&str; 4] = ["devices", "maxSwap", "sharedMemorySize", "swappiness"];

/// The log drivers that Fargate has
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_LogConfiguration.html>).
const LOG_DRIVERS: [&str; 3] = ["awsfirelens", "awslogs", "splunk"];

/// Options without which ECS refuses `awslogs`.
const AWSLOGS_OPTIONS: [&str; 2] = ["awslogs-group", "awslogs-region"];

/// Refuses all that Fargate does not have.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>) {
    refuse_fields(findings, "", &Value::Object(input.clone()), &OF_TASKS);
    if input.get("pidMode").is_some_and(|mode| mode == "host") {
        findings.refuse("pidMode", "is `host`, and Fargate supports only `task`");
    }
    let volumes = input.get("volumes").unwrap_or(&Value::Null);
    for (path, volume) in elements(volumes, "volumes") {
        check_volume(findings, &path, volume);
    }
    for (nth, container) in containers(input).iter().enumerate() {
        check_container(findings, &container_path(nth), container);
    }
}

fn refuse_fields(findings: &mut Findings, path: &str, object: &Value, fields: &[&str]) {
    for field in fields.iter().filter(|field| is_set(&object[**field])) {
        findings.refuse(
            field_path(path, field),
            "is set, and Fargate does not support it",
        );
    }
}

fn check_volume(findings: &mut Findings, path: &str, volume: &Value) {
    let fields = [
        "dockerVolumeConfiguration",
        "fsxWindowsFileServerVolumeConfiguration",
    ];
    refuse_fields(findings, path, volume, &fields);
    if is_set(&volume["host"]["sourcePath"]) {
        findings.refuse(
            format!("{path}.host.sourcePath"),
            "is set, and Fargate has no host whose folders a task can use",
        );
    }
}

fn check_container(findings: &mut Findings, path: &str, container: &Value) {
    refuse_fields(findings, path, container, &OF_CONTAINERS);
    let linux = format!("{path}.linuxParameters");
    refuse_fields(findings, &linux, &container["linuxParameters"], &OF_LINUX);
    let added = &container["linuxParameters"]["capabilities"]["add"];
    for (path, added) in elements(added, &format!("{linux}.capabilities.add")) {
        if let Some(added) = added.as_str().filter(|added| *added != "SYS_PTRACE") {
            findings.refuse(
                path,
                format!("is `{added}`, and Fargate supports only `SYS_PTRACE`"),
            );
        }
    }
    let ports = format!("{path}.portMappings");
    for (path, port) in elements(&container["portMappings"], &ports) {
        let (host, inside) = (&port["hostPort"], &port["containerPort"]);
        if is_set(host) && host != inside {
            findings.refuse(
                format!("{path}.hostPort"),
                format!("is {host}, and `awsvpc` demands the `containerPort`, {inside}"),
            );
        }
    }
    check_log(findings, &format!("{path}.logConfiguration"), container);
}

fn check_log(findings: &mut Findings, path: &str, container: &Value) {
    let log = &container["logConfiguration"];
    let Some(driver) = log["logDriver"].as_str().filter(|name| !name.is_empty()) else {
        return;
    };
    if !LOG_DRIVERS.contains(&driver) {
        findings.refuse(
            format!("{path}.logDriver"),
            format!("is `{driver}`, and Fargate supports `awslogs`, `splunk` and `awsfirelens`"),
        );
    }
    if driver == "awslogs" {
        let options = format!("{path}.options");
        for option in AWSLOGS_OPTIONS {
            if !is_set(&log["options"][option]) {
                findings.refuse(
                    field_path(&options, option),
                    "is missing or empty, and the log driver `awslogs` needs it",
                );
            }
        }
    }
}
