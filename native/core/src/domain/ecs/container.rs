//! The container that gets the image, and what the sensor needs of it.

use serde_json::{Map, Value, json};

use super::field::{containers, is_name, is_set};
use super::findings::Findings;
use super::placeholder;
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::report::code::Code;

/// The capability by which the sensor sees the other processes of its container; the one that Fargate lets a container add
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_KernelCapabilities.html>).
const SYS_PTRACE: &str = "SYS_PTRACE";

/// Container that `CrowdStrike`'s patching utility, the other way to bring the sensor in, adds to a task definition
/// (<https://github.com/CrowdStrike/Container-Security/blob/main/aws-ecs/ecs-fargate-guide.md>).
const INIT_CONTAINER: &str = "crowdstrike-falcon-init-container";

/// Folder where a patched image has the sensor; a volume over it would hide it.
const SENSOR_ROOT: &str = "/opt/CrowdStrike/rootfs";

/// The container named `wanted`, or the only one.
pub(super) fn choose(
    findings: &mut Findings,
    input: &Map<String, Value>,
    wanted: Option<&str>,
) -> Option<usize> {
    let names: Vec<&str> = containers(input)
        .iter()
        .map(|container| container["name"].as_str().unwrap_or_default())
        .collect();
    let listed = || {
        let names: Vec<String> = names.iter().map(|name| format!("`{name}`")).collect();
        names.join(", ")
    };
    if names.contains(&INIT_CONTAINER) {
        findings.refuse(format!(
            "the container `{INIT_CONTAINER}` brings a sensor already; give the definition as it was before CrowdStrike's patching utility"
        ));
    }
    match (wanted, names.as_slice()) {
        (_, []) => {
            findings.refuse("`containerDefinitions` has to list at least one container");
            None
        }
        (None, [_]) => Some(0),
        (None, _) => {
            let message = format!("there are {} containers: {}", names.len(), listed());
            findings.refuse_as(Code::EcsContainerUnclear, message);
            None
        }
        (Some(wanted), _) => {
            let nth = names.iter().position(|name| *name == wanted);
            if nth.is_none() {
                let nearest = names
                    .iter()
                    .map(|name| (strsim::normalized_damerau_levenshtein(name, wanted), name))
                    .filter(|(likeness, _)| *likeness > 0.6)
                    .max_by(|a, b| a.0.total_cmp(&b.0));
                let question = nearest
                    .map_or_else(String::new, |(_, name)| format!("; did you mean `{name}`?"));
                let message = format!(
                    "no container is named `{wanted}`, but {}{question}",
                    listed()
                );
                findings.refuse_as(Code::EcsContainerUnclear, message);
            }
            nth
        }
    }
}

/// Corrects the chosen container, and gives its name.
pub(super) fn correct(
    findings: &mut Findings,
    input: &mut Map<String, Value>,
    nth: usize,
) -> Option<String> {
    let container = input.get_mut("containerDefinitions")?.get_mut(nth)?;
    let Value::Object(container) = container else {
        findings.refuse("each of `containerDefinitions` must be an object");
        return None;
    };
    let Some(name) = container.get("name").and_then(Value::as_str) else {
        findings.refuse("the container has no `name`");
        return None;
    };
    let name = name.to_owned();
    if !is_name(&name) && placeholder::placeholders(&name).is_empty() {
        findings.refuse(format!(
            "container `{name}`: its name must be up to 255 letters, digits, `-` and `_`"
        ));
    }
    add_capability(findings, container, &name);
    put_falcon_first(findings, container, &name);
    check_variables(findings, container, &name);
    check_file_system(findings, container, &name);
    Some(name)
}

fn add_capability(findings: &mut Findings, container: &mut Map<String, Value>, name: &str) {
    let mut fields = container;
    for key in ["linuxParameters", "capabilities"] {
        let Value::Object(inner) = fields.entry(key).or_insert_with(|| json!({})) else {
            findings.refuse(format!("container `{name}`: `{key}` must be an object"));
            return;
        };
        fields = inner;
    }
    let is_it = |value: &Value| value == SYS_PTRACE;
    let dropped = fields.get("drop").and_then(Value::as_array);
    if dropped.is_some_and(|dropped| dropped.iter().any(is_it)) {
        findings.refuse(format!(
            "container `{name}`: `{SYS_PTRACE}` is in `capabilities.drop`, and the sensor needs it"
        ));
        return;
    }
    let Value::Array(added) = fields.entry("add").or_insert_with(|| json!([])) else {
        findings.refuse(format!(
            "container `{name}`: `capabilities.add` must be a list"
        ));
        return;
    };
    if !added.iter().any(is_it) {
        added.push(Value::from(SYS_PTRACE));
        findings.change(format!("adds the capability `{SYS_PTRACE}` to `{name}`"));
    }
}

/// An entrypoint of the definition replaces the image's, with which falconutil starts the sensor.
fn put_falcon_first(findings: &mut Findings, container: &mut Map<String, Value>, name: &str) {
    let Some(entrypoint) = container.get_mut("entryPoint").filter(|e| is_set(e)) else {
        return;
    };
    let Value::Array(words) = entrypoint else {
        findings.refuse(format!(
            "container `{name}`: `entryPoint` must be a list of texts"
        ));
        return;
    };
    if !words.iter().any(|word| word == FALCON_ENTRYPOINT) {
        words.insert(0, Value::from(FALCON_ENTRYPOINT));
        findings.change(format!(
            "puts `{FALCON_ENTRYPOINT}` in front of the `entryPoint` of `{name}`, which would start it without the sensor"
        ));
    }
}

/// Variables of the definition replace those of the image.
fn check_variables(findings: &mut Findings, container: &Map<String, Value>, name: &str) {
    let variable = |wanted: &str| {
        let variables = container.get("environment")?.as_array()?;
        let found = variables.iter().find(|pair| pair["name"] == wanted)?;
        Some(found["value"].as_str().unwrap_or_default())
    };
    if let Some(told) = variable("CS_CONTAINER").filter(|told| *told != name) {
        findings.refuse(format!(
            "container `{name}`: `CS_CONTAINER` in its `environment` is `{told}`, and the sensor would report that name; remove it, since the image says `{name}`"
        ));
    }
    if variable("FALCONCTL_OPTS").is_some_and(|options| !options.contains("--cid")) {
        findings.warn(format!(
            "`FALCONCTL_OPTS` in the `environment` of `{name}` replaces the image's and holds no `--cid`, so the sensor would not know its customer"
        ));
    }
}

fn check_file_system(findings: &mut Findings, container: &Map<String, Value>, name: &str) {
    if container.get("readonlyRootFilesystem") == Some(&Value::Bool(true)) {
        findings.warn(format!(
            "`{name}` has `readonlyRootFilesystem`, and the sensor may have to write to the root file system"
        ));
    }
    let mounts = container.get("mountPoints").and_then(Value::as_array);
    let hides = |path: &&str| {
        let path = path.trim_end_matches('/');
        SENSOR_ROOT == path || SENSOR_ROOT.starts_with(&format!("{path}/"))
    };
    let over = mounts
        .into_iter()
        .flatten()
        .filter_map(|mount| mount["containerPath"].as_str())
        .find(hides);
    if let Some(path) = over {
        findings.refuse(format!(
            "container `{name}`: the volume at `{path}` hides the sensor, which is in `{SENSOR_ROOT}`"
        ));
    }
}
