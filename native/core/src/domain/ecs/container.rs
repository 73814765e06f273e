//! The container that gets the image, and what the sensor needs of it.

use serde_json::{Map, Value, json};

use super::field::{CONTAINERS, container_names, container_path, containers, elements, is_set};
use super::findings::Findings;
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, SENSOR_ROOT};
use crate::report::code::Code;

/// The capability by which the sensor sees the other processes of its container; the one that Fargate lets a container add
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html>).
const SYS_PTRACE: &str = "SYS_PTRACE";

/// Container that `CrowdStrike`'s patching utility, the other way to bring the sensor in, adds to a task definition
/// (<https://github.com/CrowdStrike/Container-Security/blob/main/aws-ecs/ecs-fargate-guide.md>).
const INIT_CONTAINER: &str = "crowdstrike-falcon-init-container";

/// Chooses the container named `wanted`, or the only one.
pub(super) fn choose(
    findings: &mut Findings,
    input: &Map<String, Value>,
    wanted: Option<&str>,
) -> Option<usize> {
    // A value of another type has been refused.
    if !input.get(CONTAINERS).is_some_and(Value::is_array) {
        return None;
    }
    let names: Vec<(usize, &str)> = container_names(input).collect();
    if let Some((nth, name)) = names.iter().find(|(_, name)| *name == INIT_CONTAINER) {
        findings.refuse(
            container_path(*nth),
            format!("is `{name}`, which brings a sensor already; give the definition as it was before CrowdStrike's patching utility"),
        );
    }
    let count = containers(input).len();
    let message = match (wanted, count) {
        (_, 0) => {
            findings.refuse(CONTAINERS, "must list at least one container");
            return None;
        }
        (None, 1) => return Some(0),
        (None, _) => format!("has {count} containers: {}", listed(&names)),
        (Some(wanted), _) => match names.iter().find(|(_, name)| *name == wanted) {
            Some((nth, _)) => return Some(*nth),
            None => format!(
                "has no container named `{wanted}`, but {}{}",
                listed(&names),
                nearest(&names, wanted)
            ),
        },
    };
    findings.refuse_as(Code::EcsContainerUnclear, CONTAINERS, message);
    None
}

fn listed(names: &[(usize, &str)]) -> String {
    let names: Vec<String> = names.iter().map(|(_, name)| format!("`{name}`")).collect();
    match names.as_slice() {
        [] => "none with a name".to_owned(),
        names => names.join(", "),
    }
}

/// Returns a question for the name that is most like the wanted one, or nothing.
fn nearest(names: &[(usize, &str)], wanted: &str) -> String {
    names
        .iter()
        .map(|(_, name)| (strsim::normalized_damerau_levenshtein(name, wanted), name))
        .filter(|(likeness, _)| *likeness > 0.6)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"))
}

/// Corrects the chosen container, and returns its name.
pub(super) fn correct(
    findings: &mut Findings,
    input: &mut Map<String, Value>,
    nth: usize,
) -> Option<String> {
    let container = input.get_mut(CONTAINERS)?.get_mut(nth)?.as_object_mut()?;
    // A name that is missing, or cannot be one, has been refused.
    let name = container.get("name")?.as_str()?.to_owned();
    let path = container_path(nth);
    add_capability(findings, container, &path);
    put_falcon_first(findings, container, &path);
    check_variables(findings, container, &name, &path);
    check_file_system(findings, container, &name, &path);
    Some(name)
}

fn add_capability(findings: &mut Findings, container: &mut Map<String, Value>, path: &str) {
    let mut fields = container;
    for key in ["linuxParameters", "capabilities"] {
        let inner = fields.entry(key).or_insert_with(|| json!({}));
        let Value::Object(inner) = inner else {
            return;
        };
        fields = inner;
    }
    let path = format!("{path}.linuxParameters.capabilities");
    let is_it = |value: &Value| value == SYS_PTRACE;
    let dropped = fields.get("drop").unwrap_or(&Value::Null);
    let dropped = elements(dropped, &format!("{path}.drop")).find(|(_, each)| is_it(each));
    if let Some((path, _)) = dropped {
        findings.refuse(path, format!("is `{SYS_PTRACE}`, which the sensor needs"));
        return;
    }
    let added = fields.entry("add").or_insert_with(|| json!([]));
    let Value::Array(added) = added else {
        return;
    };
    if !added.iter().any(is_it) {
        added.push(Value::from(SYS_PTRACE));
        findings.change(format!("adds `{SYS_PTRACE}` to `{path}.add`"));
    }
}

/// Puts Falcon's entrypoint first: an entrypoint of the definition replaces the image's, with which the sensor starts.
fn put_falcon_first(findings: &mut Findings, container: &mut Map<String, Value>, path: &str) {
    let entrypoint = container.get_mut("entryPoint");
    let Some(Value::Array(words)) = entrypoint.filter(|words| is_set(words)) else {
        return;
    };
    let path = format!("{path}.entryPoint");
    match words.iter().position(|word| word == FALCON_ENTRYPOINT) {
        Some(0) => {}
        // Behind another program, such as `tini`, it would not be the process that the sensor starts from.
        Some(nth) => {
            words[..=nth].rotate_right(1);
            findings.change(format!(
                "moves `{FALCON_ENTRYPOINT}` to the front of `{path}`"
            ));
        }
        None => {
            words.insert(0, Value::from(FALCON_ENTRYPOINT));
            findings.change(format!(
                "puts `{FALCON_ENTRYPOINT}` in front of `{path}`, which would start the container without the sensor"
            ));
        }
    }
}

/// Checks the variables of the definition, which replace those of the image.
fn check_variables(
    findings: &mut Findings,
    container: &Map<String, Value>,
    name: &str,
    path: &str,
) {
    let variables = container.get("environment").unwrap_or(&Value::Null);
    for (path, variable) in elements(variables, &format!("{path}.environment")) {
        let value = variable["value"].as_str().unwrap_or_default();
        match variable["name"].as_str() {
            Some("CS_CONTAINER") if value != name => findings.refuse(
                format!("{path}.value"),
                format!("is `{value}`, and the sensor would report that name; remove `CS_CONTAINER`, since the image has it as `{name}`"),
            ),
            Some("FALCONCTL_OPTS") if !value.contains("--cid") => findings.warn(
                Code::EcsSensorAtRisk,
                format!("`FALCONCTL_OPTS` in the `environment` of `{name}` replaces the image's and holds no `--cid`, so the sensor would not know its customer"),
            ),
            _ => {}
        }
    }
}

fn check_file_system(
    findings: &mut Findings,
    container: &Map<String, Value>,
    name: &str,
    path: &str,
) {
    if container.get("readonlyRootFilesystem") == Some(&Value::Bool(true)) {
        findings.warn(
            Code::EcsSensorAtRisk,
            format!("`{name}` has `readonlyRootFilesystem`, and the sensor may have to write to the root file system"),
        );
    }
    let mounts = container.get("mountPoints").unwrap_or(&Value::Null);
    for (path, mount) in elements(mounts, &format!("{path}.mountPoints")) {
        let folder = mount["containerPath"].as_str().unwrap_or("?");
        let plain = folder.trim_end_matches('/');
        if SENSOR_ROOT == plain || SENSOR_ROOT.starts_with(&format!("{plain}/")) {
            findings.refuse(
                format!("{path}.containerPath"),
                format!("is `{folder}`, and hides the sensor, which is in `{SENSOR_ROOT}`"),
            );
        }
    }
}
