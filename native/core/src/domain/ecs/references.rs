//! Names in a task definition that must be unique, and names that must name something.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::field::{container_names, container_path, containers, elements, is_essential, is_name};
use super::findings::Findings;
use super::placeholder::placeholders;

/// Refuses names that are missing or taken, and names of nothing.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>) {
    check_names(findings, input);
    let volumes = volume_names(findings, input);
    let names: HashSet<&str> = container_names(input).map(|(_, name)| name).collect();
    for (nth, container) in containers(input).iter().enumerate() {
        let path = container_path(nth);
        let mounts = format!("{path}.mountPoints");
        for (path, mount) in elements(&container["mountPoints"], &mounts) {
            let volume = mount["sourceVolume"].as_str();
            if let Some(volume) = volume.filter(|name| is_dangling(name, &volumes)) {
                findings.refuse(
                    format!("{path}.sourceVolume"),
                    format!("is `{volume}`, and `volumes` has none of that name"),
                );
            }
        }
        let sources = format!("{path}.volumesFrom");
        for (path, source) in elements(&container["volumesFrom"], &sources) {
            let field = format!("{path}.sourceContainer");
            demand_container(findings, &names, field, &source["sourceContainer"]);
        }
        check_variables(findings, &path, container);
    }
    if let Some(proxy) = input.get("proxyConfiguration") {
        let field = "proxyConfiguration.containerName".to_owned();
        demand_container(findings, &names, field, &proxy["containerName"]);
    }
    refuse_without_essential(findings, input);
}

/// Refuses a name that none of the containers has.
pub(super) fn demand_container(
    findings: &mut Findings,
    names: &HashSet<&str>,
    path: String,
    name: &Value,
) {
    if let Some(name) = name.as_str().filter(|name| is_dangling(name, names)) {
        findings.refuse(path, format!("is `{name}`, and no container has that name"));
    }
}

/// Returns true for a name of nothing; a missing one and a placeholder are reported as what they are.
fn is_dangling(name: &str, known: &HashSet<&str>) -> bool {
    !name.is_empty() && !known.contains(name) && placeholders(name).is_empty()
}

fn check_names(findings: &mut Findings, input: &Map<String, Value>) {
    let mut first: HashMap<&str, usize> = HashMap::new();
    for (nth, container) in containers(input).iter().enumerate() {
        let path = format!("{}.name", container_path(nth));
        match container["name"].as_str() {
            None if container.is_object() => {
                findings.refuse(path, "is missing: each container needs a name");
            }
            None => {}
            Some(name) if !is_name(name) && placeholders(name).is_empty() => findings.refuse(
                path,
                format!("is `{name}`, and must be up to 255 letters, digits, `-` and `_`"),
            ),
            Some(name) => {
                if let Some(before) = first.insert(name, nth) {
                    let other = container_path(before);
                    let message = format!("is `{name}`, which is the name of `{other}` already");
                    findings.refuse(path, message);
                }
            }
        }
    }
}

fn volume_names<'a>(findings: &mut Findings, input: &'a Map<String, Value>) -> HashSet<&'a str> {
    let mut names = HashSet::new();
    let volumes = input.get("volumes").unwrap_or(&Value::Null);
    for (path, volume) in elements(volumes, "volumes") {
        if let Some(name) = volume["name"].as_str()
            && !names.insert(name)
        {
            let message = format!("is `{name}`, which is the name of another volume already");
            findings.refuse(format!("{path}.name"), message);
        }
    }
    names
}

/// ECS refuses a secret whose name another secret or a variable of the container has.
fn check_variables(findings: &mut Findings, path: &str, container: &Value) {
    let variables = container["environment"].as_array();
    let variables = variables.into_iter().flatten();
    let mut taken: HashSet<&str> = variables
        .filter_map(|variable| variable["name"].as_str())
        .collect();
    for (path, secret) in elements(&container["secrets"], &format!("{path}.secrets")) {
        if let Some(name) = secret["name"].as_str()
            && !taken.insert(name)
        {
            let message =
                format!("is `{name}`, and another secret or a variable has that name already");
            findings.refuse(format!("{path}.name"), message);
        }
    }
}

fn refuse_without_essential(findings: &mut Findings, input: &Map<String, Value>) {
    let containers = containers(input);
    if !containers.is_empty() && !containers.iter().any(is_essential) {
        findings.refuse(
            format!("{}.essential", container_path(0)),
            "is `false`, as in all containers, and ECS demands one that is essential",
        );
    }
}
