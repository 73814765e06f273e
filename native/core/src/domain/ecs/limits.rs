//! Numbers in a task definition that ECS and Fargate limit.
//!
//! From the reference of each field (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Types.html>) and
//! ECS's own refusals, such as "The 'memory' setting for container 'worker' is greater than for the task"
//! (<https://github.com/pulumi/pulumi-awsx/issues/1220>) and "The sum of all container 'cpu' values cannot be greater
//! than the value of the task 'cpu'" (<https://github.com/aws/aws-cdk/issues/1553>).

use std::collections::HashSet;
use std::ops::RangeInclusive;

use serde_json::{Map, Value};

use super::field::{container_path, containers, elements};
use super::findings::Findings;
use super::size::Size;

/// Fields of a container with their least and most, in the units of the reference.
const OF_CONTAINERS: [(&str, RangeInclusive<i64>); 6] = [
    ("/healthCheck/interval", 5..=300),
    ("/healthCheck/retries", 1..=10),
    ("/healthCheck/startPeriod", 0..=300),
    ("/healthCheck/timeout", 2..=60),
    ("/restartPolicy/restartAttemptPeriod", 60..=1800),
    ("/stopTimeout", 0..=120),
];

/// The GiB of storage that a task can ask for
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_EphemeralStorage.html>). The console writes 20.
const STORAGE: RangeInclusive<i64> = 20..=200;

const PORTS: RangeInclusive<i64> = 1..=65535;

/// The most tags of a definition (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Tag.html>).
const TAGS: usize = 50;

/// The most characters of a tag's key and of its value.
const TAG_LENGTHS: [(&str, usize); 2] = [("key", 128), ("value", 256)];

/// The most files of variables of a container.
const ENVIRONMENT_FILES: usize = 10;

/// Refuses numbers beyond their limits; `size` is the task's.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>, size: Size) {
    for (nth, container) in containers(input).iter().enumerate() {
        let path = container_path(nth);
        check_ranges(findings, &path, container);
        check_memory(findings, &path, container, size);
    }
    check_cpu(findings, input, size);
    let storage = input.get("ephemeralStorage").unwrap_or(&Value::Null);
    let storage = storage["sizeInGiB"].as_i64();
    demand(findings, "ephemeralStorage.sizeInGiB", storage, &STORAGE);
    check_tags(findings, input.get("tags").unwrap_or(&Value::Null));
}

fn demand(findings: &mut Findings, path: &str, number: Option<i64>, allowed: &RangeInclusive<i64>) {
    if let Some(number) = number.filter(|number| !allowed.contains(number)) {
        let (least, most) = (allowed.start(), allowed.end());
        findings.refuse(
            path,
            format!("is {number}, and must be from {least} to {most}"),
        );
    }
}

fn check_ranges(findings: &mut Findings, path: &str, container: &Value) {
    for (pointer, allowed) in &OF_CONTAINERS {
        let number = container.pointer(pointer).and_then(Value::as_i64);
        let path = format!("{path}{}", pointer.replace('/', "."));
        demand(findings, &path, number, allowed);
    }
    let ports = format!("{path}.portMappings");
    for (path, port) in elements(&container["portMappings"], &ports) {
        let path = format!("{path}.containerPort");
        demand(findings, &path, port["containerPort"].as_i64(), &PORTS);
    }
    let files = container["environmentFiles"].as_array().map_or(0, Vec::len);
    if files > ENVIRONMENT_FILES {
        findings.refuse(
            format!("{path}.environmentFiles"),
            format!("has {files} files, and ECS takes {ENVIRONMENT_FILES}"),
        );
    }
}

fn check_memory(findings: &mut Findings, path: &str, container: &Value, size: Size) {
    for field in ["memory", "memoryReservation"] {
        let (own, task) = (container[field].as_u64(), size.memory);
        if let (Some(own), Some(task)) = (own, task)
            && own > task
        {
            findings.refuse(
                format!("{path}.{field}"),
                format!("is {own} MiB, and the whole task has {task} (`memory`)"),
            );
        }
    }
    let limit = container["memory"].as_u64().filter(|limit| *limit > 0);
    if let (Some(limit), Some(reserved)) = (limit, container["memoryReservation"].as_u64())
        && reserved > limit
    {
        findings.refuse(
            format!("{path}.memoryReservation"),
            format!("is {reserved} MiB, and the container's limit is {limit} (`memory`)"),
        );
    }
}

fn check_cpu(findings: &mut Findings, input: &Map<String, Value>, size: Size) {
    let reserved = containers(input)
        .iter()
        .filter_map(|container| container["cpu"].as_u64())
        .fold(0, u64::saturating_add);
    if let Some(cpu) = size.cpu.filter(|cpu| reserved > *cpu) {
        findings.refuse(
            "cpu",
            format!("is {cpu} units, and the containers reserve {reserved} together"),
        );
    }
}

fn check_tags(findings: &mut Findings, tags: &Value) {
    let count = tags.as_array().map_or(0, Vec::len);
    if count > TAGS {
        findings.refuse("tags", format!("has {count} tags, and ECS takes {TAGS}"));
    }
    let mut keys = HashSet::new();
    for (path, tag) in elements(tags, "tags") {
        for (field, most) in TAG_LENGTHS {
            let length = tag[field].as_str().map_or(0, |text| text.chars().count());
            if length > most {
                let message = format!("has {length} characters, and ECS takes {most}");
                findings.refuse(format!("{path}.{field}"), message);
            }
        }
        let key = tag["key"].as_str().filter(|key| !key.is_empty());
        if let Some(key) = key.filter(|key| !keys.insert(*key)) {
            findings.refuse(
                format!("{path}.key"),
                format!("is `{key}`, and another tag has that key already"),
            );
        }
    }
}
