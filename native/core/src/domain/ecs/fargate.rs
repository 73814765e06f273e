//! Demands of Fargate on a whole task definition.
//!
//! From <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>. What ECS would
//! refuse when the definition is registered is told here, before anything is patched.

use serde_json::{Map, Value, json};

use super::field::{containers, is_name, is_set, named};
use super::findings::Findings;
use super::{placeholder, size};

/// Fields of a container that Fargate does not take.
const NOT_OF_CONTAINERS: [&str; 7] = [
    "disableNetworking",
    "dnsSearchDomains",
    "dnsServers",
    "dockerSecurityOptions",
    "extraHosts",
    "links",
    "privileged",
];

/// Fields of `linuxParameters` that Fargate does not take.
const NOT_OF_LINUX: [&str; 4] = ["devices", "maxSwap", "sharedMemorySize", "swappiness"];

/// The family.
pub(super) fn family(findings: &mut Findings, input: &Map<String, Value>) -> Option<String> {
    let Some(family) = input.get("family").and_then(Value::as_str) else {
        findings.refuse("`family` is missing");
        return None;
    };
    // Placeholders are told as what they are.
    if !is_name(family) && placeholder::placeholders(family).is_empty() {
        findings.refuse(format!(
            "`family` is `{family}`, and must be up to 255 letters, digits, `-` and `_`"
        ));
    }
    Some(family.to_owned())
}

/// Corrects what has one right value, and refuses what Fargate does not take.
pub(super) fn correct(findings: &mut Findings, input: &mut Map<String, Value>) {
    demand_fargate(findings, input);
    demand_awsvpc(findings, input);
    demand_arm64(findings, input);
    if !input.get("executionRoleArn").is_some_and(is_set) {
        findings.refuse(
            "`executionRoleArn` is missing: with that role Fargate pulls the image from ECR",
        );
    }
    size::check(findings, input);
    refuse_what_fargate_lacks(findings, input);
}

fn demand_fargate(findings: &mut Findings, input: &mut Map<String, Value>) {
    let demanded = input
        .entry("requiresCompatibilities")
        .or_insert_with(|| json!([]));
    let Value::Array(demanded) = demanded else {
        findings.refuse("`requiresCompatibilities` must be a list");
        return;
    };
    if !demanded.iter().any(|each| each == "FARGATE") {
        demanded.push(Value::from("FARGATE"));
        findings.change("adds `FARGATE` to `requiresCompatibilities`");
    }
}

fn demand_awsvpc(findings: &mut Findings, input: &mut Map<String, Value>) {
    match input.get("networkMode").map(|mode| mode.as_str()) {
        Some(Some("awsvpc")) => {}
        None => {
            input.insert("networkMode".to_owned(), Value::from("awsvpc"));
            findings.change("sets `networkMode` to `awsvpc`, without which it would be `bridge`");
        }
        Some(mode) => findings.refuse(format!(
            "`networkMode` is `{}`, and Fargate takes `awsvpc` alone",
            mode.unwrap_or("no text")
        )),
    }
}

/// The platform of the image. A definition that says nothing, or `X86_64`, was written for the image before.
fn demand_arm64(findings: &mut Findings, input: &mut Map<String, Value>) {
    let platform = input.entry("runtimePlatform").or_insert_with(|| json!({}));
    let Value::Object(platform) = platform else {
        findings.refuse("`runtimePlatform` must be an object");
        return;
    };
    let family = platform.get("operatingSystemFamily");
    if let Some(family) = family.filter(|family| is_set(family) && *family != "LINUX") {
        findings.refuse(format!(
            "`runtimePlatform.operatingSystemFamily` is {family}, and the image is for Linux"
        ));
        return;
    }
    for (field, value) in [
        ("cpuArchitecture", "ARM64"),
        ("operatingSystemFamily", "LINUX"),
    ] {
        let before = platform.insert(field.to_owned(), Value::from(value));
        match before.filter(is_set) {
            Some(before) if before == value => {}
            Some(before) => findings.change(format!(
                "sets `runtimePlatform.{field}` to `{value}`; it was {before}"
            )),
            None => findings.change(format!("sets `runtimePlatform.{field}` to `{value}`")),
        }
    }
}

fn refuse_what_fargate_lacks(findings: &mut Findings, input: &Map<String, Value>) {
    for field in ["ipcMode", "placementConstraints"] {
        if input.get(field).is_some_and(is_set) {
            findings.refuse(format!("`{field}` is set, and Fargate does not take it"));
        }
    }
    if input.get("pidMode").is_some_and(|mode| mode == "host") {
        findings.refuse("`pidMode` is `host`, and Fargate takes `task` alone");
    }
    for volume in input
        .get("volumes")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if is_set(&volume["dockerVolumeConfiguration"]) || is_set(&volume["host"]["sourcePath"]) {
            let name = volume["name"].as_str().unwrap_or_default();
            findings.refuse(format!(
                "the volume `{name}` is on the host or a Docker volume, and Fargate has neither"
            ));
        }
    }
    for (nth, container) in containers(input).iter().enumerate() {
        refuse_in_container(findings, container, &named(container, nth));
    }
}

fn refuse_in_container(findings: &mut Findings, container: &Value, name: &str) {
    let linux = &container["linuxParameters"];
    let fields = NOT_OF_CONTAINERS.map(|field| (field, &container[field]));
    let in_linux = NOT_OF_LINUX.map(|field| (field, &linux[field]));
    for (field, value) in fields.into_iter().chain(in_linux) {
        if is_set(value) {
            findings.refuse(format!(
                "{name}: `{field}` is set, and Fargate does not take it"
            ));
        }
    }
    let added = linux["capabilities"]["add"].as_array();
    let others = added
        .into_iter()
        .flatten()
        .filter(|each| *each != "SYS_PTRACE");
    for other in others {
        findings.refuse(format!(
            "{name}: {other} is in `capabilities.add`, and Fargate takes `SYS_PTRACE` alone"
        ));
    }
    for port in container["portMappings"].as_array().into_iter().flatten() {
        let (host, inside) = (&port["hostPort"], &port["containerPort"]);
        if is_set(host) && host != inside {
            findings.refuse(format!(
                "{name}: `hostPort` {host} is not its `containerPort` {inside}, which `awsvpc` demands"
            ));
        }
    }
}
