//! The order in which containers start (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html>).

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::field::{container_names, container_path, containers, elements, is_essential, is_set};
use super::findings::Findings;
use super::references::demand_container;

/// Refuses dependencies on nothing, in a circle, and on what a container cannot become.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>) {
    let by_name: HashMap<&str, usize> = container_names(input)
        .map(|(nth, name)| (name, nth))
        .collect();
    let names: HashSet<&str> = by_name.keys().copied().collect();
    let all = containers(input);
    let mut needs: Vec<Vec<usize>> = Vec::new();
    for (nth, container) in all.iter().enumerate() {
        let mut needed = Vec::new();
        let list = format!("{}.dependsOn", container_path(nth));
        for (path, dependency) in elements(&container["dependsOn"], &list) {
            let name = &dependency["containerName"];
            demand_container(findings, &names, format!("{path}.containerName"), name);
            if let Some(other) = name.as_str().and_then(|name| by_name.get(name)) {
                check_condition(findings, &path, dependency, &all[*other]);
                needed.push(*other);
            }
        }
        needs.push(needed);
    }
    if let Some(circle) = circle(&needs) {
        let name = |nth: &usize| format!("`{}`", all[*nth]["name"].as_str().unwrap_or_default());
        let names: Vec<String> = circle.iter().chain(circle.first()).map(name).collect();
        findings.refuse(
            format!("{}.dependsOn", container_path(circle[0])),
            format!("waits for itself: {}", names.join(" → ")),
        );
    }
}

fn check_condition(findings: &mut Findings, path: &str, dependency: &Value, other: &Value) {
    let Some(condition) = dependency["condition"].as_str() else {
        return;
    };
    let why = match condition {
        "HEALTHY" if !is_set(&other["healthCheck"]) => "that container has no `healthCheck`",
        "COMPLETE" | "SUCCESS" if is_essential(other) => {
            "that container is essential, so its end would end the task; set its `essential` to `false`"
        }
        _ => return,
    };
    findings.refuse(
        format!("{path}.condition"),
        format!("is `{condition}`, but {why}"),
    );
}

/// Containers that wait for each other in a circle, in its order, if they do.
fn circle(needs: &[Vec<usize>]) -> Option<Vec<usize>> {
    // What waits for nothing that is left can start; what is left in the end is in a circle, or waits for one.
    let mut left: Vec<usize> = (0..needs.len()).collect();
    loop {
        let before = left.clone();
        left.retain(|nth| needs[*nth].iter().any(|needed| before.contains(needed)));
        if left.len() == before.len() {
            break;
        }
    }
    let mut chain = vec![*left.first()?];
    loop {
        let last = chain.last()?;
        let next = *needs[*last].iter().find(|needed| left.contains(needed))?;
        if let Some(start) = chain.iter().position(|known| *known == next) {
            return Some(chain.split_off(start));
        }
        chain.push(next);
    }
}
