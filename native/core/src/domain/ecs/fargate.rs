//! Demands of Fargate on a whole task definition.
//!
//! From <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/fargate-tasks-services.html>.

use serde_json::{Map, Value, json};

use super::field::{is_name, is_set};
use super::findings::Findings;

/// Reads the family.
pub(super) fn family(findings: &mut Findings, input: &Map<String, Value>) -> Option<String> {
    let Some(family) = input.get("family") else {
        findings.refuse("family", "is missing");
        return None;
    };
    let family = family.as_str()?;
    if !is_name(family) {
        findings.refuse(
            "family",
            format!("is `{family}`, and must be up to 255 letters, digits, `-` and `_`"),
        );
    }
    Some(family.to_owned())
}

/// Corrects what has one right value, and refuses the rest.
pub(super) fn correct(findings: &mut Findings, input: &mut Map<String, Value>) {
    demand_fargate(findings, input);
    demand_awsvpc(findings, input);
    demand_arm64(findings, input);
}

fn demand_fargate(findings: &mut Findings, input: &mut Map<String, Value>) {
    let demanded = input
        .entry("requiresCompatibilities")
        .or_insert_with(|| json!([]));
    // A value of another type has been refused.
    let Value::Array(demanded) = demanded else {
        return;
    };
    if !demanded.iter().any(|each| each == "FARGATE") {
        demanded.push(Value::from("FARGATE"));
        findings.change("adds `FARGATE` to `requiresCompatibilities`");
    }
}

fn demand_awsvpc(findings: &mut Findings, input: &mut Map<String, Value>) {
    match input.get("networkMode").map(Value::as_str) {
        Some(Some("awsvpc") | None) => {}
        None => {
            input.insert("networkMode".to_owned(), Value::from("awsvpc"));
            findings.change("sets `networkMode` to `awsvpc`, without which it would be `bridge`");
        }
        Some(Some(mode)) => findings.refuse(
            "networkMode",
            format!("is `{mode}`, and Fargate supports only `awsvpc`"),
        ),
    }
}

/// Sets the platform of the image. A definition without one, or with `X86_64`, was written for the image before.
fn demand_arm64(findings: &mut Findings, input: &mut Map<String, Value>) {
    let platform = input.entry("runtimePlatform").or_insert_with(|| json!({}));
    let Value::Object(platform) = platform else {
        return;
    };
    let family = platform.get("operatingSystemFamily");
    if let Some(family) = family.filter(|family| is_set(family) && *family != "LINUX") {
        findings.refuse(
            "runtimePlatform.operatingSystemFamily",
            format!("is {family}, and the image is for Linux"),
        );
        return;
    }
    for (field, value) in [
        ("cpuArchitecture", "ARM64"),
        ("operatingSystemFamily", "LINUX"),
    ] {
        let before = platform.insert(field.to_owned(), Value::from(value));
        match before {
            Some(before) if before == value => {}
            Some(before) => findings.change(format!(
                "sets `runtimePlatform.{field}` to `{value}`; it was {before}"
            )),
            None => findings.change(format!("sets `runtimePlatform.{field}` to `{value}`")),
        }
    }
}
