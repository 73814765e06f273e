//! The question if a registered revision is the same as a definition, after what ECS adds by itself.
//!
//! A difference that is none costs one revision more; the opposite would lose a deployment. So only those additions
//! are taken for nothing that ECS is known to write.

use serde_json::{Map, Value};

use super::field::CONTAINERS;
use super::form::{READ_ONLY, drop_nulls, is_tag_of_aws, unwrap};

/// Lists whose order means nothing, with the field that orders them.
const SETS: [(&str, &str); 3] = [
    ("environment", "name"),
    ("secrets", "name"),
    ("tags", "key"),
];

/// The values that ECS fills in where a health check leaves them open
/// (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_HealthCheck.html>).
const HEALTH_CHECK: [(&str, u64); 3] = [("interval", 30), ("timeout", 5), ("retries", 3)];

/// Returns true if `registered`, an answer of `DescribeTaskDefinition`, is the definition `input`.
pub(super) fn is_same(input: &Map<String, Value>, registered: &[u8]) -> bool {
    let Ok(Value::Object(registered)) = serde_json::from_slice(registered) else {
        return false;
    };
    plain(input.clone()) == plain(unwrap(registered))
}

/// A definition without what only ECS writes, and with its defaults spelled out.
fn plain(mut input: Map<String, Value>) -> Map<String, Value> {
    input.retain(|name, _| !READ_ONLY.contains(&name.as_str()));
    drop_nulls(&mut input);
    if let Some(Value::Array(tags)) = input.get_mut("tags") {
        tags.retain(|tag| !is_tag_of_aws(tag));
    }
    if let Some(Value::Array(names)) = input.get_mut("requiresCompatibilities") {
        names.sort_by_key(Value::to_string);
    }
    if let Some(Value::Array(containers)) = input.get_mut(CONTAINERS) {
        let containers = containers.iter_mut().filter_map(Value::as_object_mut);
        containers.for_each(fill_container);
    }
    sort_sets(&mut input);
    drop_empty(&mut input);
    input
}

fn fill_container(container: &mut Map<String, Value>) {
    container
        .entry("essential")
        .or_insert_with(|| Value::from(true));
    if container.get("cpu") == Some(&Value::from(0)) {
        container.shift_remove("cpu");
    }
    if let Some(Value::Object(check)) = container.get_mut("healthCheck") {
        for (name, default) in HEALTH_CHECK {
            check.entry(name).or_insert_with(|| Value::from(default));
        }
    }
    if let Some(Value::Array(ports)) = container.get_mut("portMappings") {
        ports
            .iter_mut()
            .filter_map(Value::as_object_mut)
            .for_each(fill_port);
    }
    sort_sets(container);
}

/// On Fargate the port of the host is that of the container.
fn fill_port(port: &mut Map<String, Value>) {
    port.entry("protocol").or_insert_with(|| Value::from("tcp"));
    if let Some(own) = port.get("containerPort").cloned() {
        let host = port.entry("hostPort").or_insert_with(|| own.clone());
        if host.as_u64() == Some(0) {
            *host = own;
        }
    }
}

fn sort_sets(fields: &mut Map<String, Value>) {
    for (name, key) in SETS {
        if let Some(Value::Array(list)) = fields.get_mut(name) {
            list.sort_by_key(|each| each[key].to_string());
        }
    }
}

/// Drops empty lists and objects, which ECS writes for fields that were left out.
fn drop_empty(fields: &mut Map<String, Value>) {
    fn inside(value: &mut Value) {
        match value {
            Value::Object(fields) => drop_empty(fields),
            Value::Array(list) => list.iter_mut().for_each(inside),
            _ => {}
        }
    }
    fields.values_mut().for_each(inside);
    fields.retain(|_, value| match value {
        Value::Array(list) => !list.is_empty(),
        Value::Object(fields) => !fields.is_empty(),
        _ => true,
    });
}
