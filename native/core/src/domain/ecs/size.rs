//! The task sizes that Fargate has (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>).

use serde_json::{Map, Value};

use super::findings::Findings;

/// CPU units, with the MiB that a task of that size can have: the least, the most and the step between.
const SIZES: [(u64, u64, u64, u64); 7] = [
    (256, 512, 2048, 512),
    (512, 1024, 4096, 1024),
    (1024, 2048, 8192, 1024),
    (2048, 4096, 16384, 1024),
    (4096, 8192, 30720, 1024),
    (8192, 16384, 61440, 4096),
    (16384, 32768, 122_880, 8192),
];

/// The one hole in a row: a task of 256 CPU units has 512, 1024 or 2048 MiB.
const NO_SIZE: (u64, u64) = (256, 1536);

/// Refuses a size that Fargate does not have.
pub(super) fn check(findings: &mut Findings, input: &mut Map<String, Value>) {
    let cpu = amount(findings, input, "cpu", "vcpu");
    let memory = amount(findings, input, "memory", "gb");
    let size = |cpu| SIZES.iter().find(|(units, ..)| *units == cpu);
    let Some(cpu) = cpu else {
        return;
    };
    let Some((_, least, most, step)) = size(cpu) else {
        let all: Vec<String> = SIZES.iter().map(|(units, ..)| units.to_string()).collect();
        findings.refuse(format!(
            "`cpu` is {cpu} units, and Fargate has {}",
            all.join(", ")
        ));
        return;
    };
    let Some(memory) = memory else {
        return;
    };
    let is_step = memory.is_multiple_of(*step) && (cpu, memory) != NO_SIZE;
    if (*least..=*most).contains(&memory) && is_step {
        return;
    }
    let allowed = if cpu == NO_SIZE.0 {
        "512, 1024 or 2048 MiB".to_owned()
    } else {
        format!("{least} to {most} MiB in steps of {step}")
    };
    findings.refuse(format!(
        "`memory` is {memory} MiB, and with `cpu` at {cpu} Fargate has {allowed}"
    ));
}

/// Reads `1024`, `1 vCPU` or `3 GB`; both units are 1024 of the plain one. A number becomes the text that ECS takes.
fn amount(
    findings: &mut Findings,
    input: &mut Map<String, Value>,
    field: &str,
    unit: &str,
) -> Option<u64> {
    let Some(value) = input.get_mut(field) else {
        findings.refuse(format!(
            "`{field}` is missing: Fargate needs it for the whole task, not only for containers"
        ));
        return None;
    };
    if let Value::Number(number) = value {
        let text = number.to_string();
        findings.change(format!(
            "writes `{field}` as the text `\"{text}\"`, which ECS takes"
        ));
        *value = Value::String(text);
    }
    let text = value.as_str().unwrap_or_default().trim();
    let parsed = parse(text, unit);
    if parsed.is_none() {
        findings.refuse(format!(
            "`{field}` is `{}`, and must be as `1024` or `1 {}`",
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
            if unit == "gb" { "GB" } else { "vCPU" }
        ));
    }
    parsed
}

fn parse(text: &str, unit: &str) -> Option<u64> {
    let text = text.to_ascii_lowercase();
    let Some(number) = text.strip_suffix(unit) else {
        return text.parse().ok();
    };
    // Thousandths, so that a quarter is exact and floats need not be compared.
    let (whole, part) = number.trim().split_once('.').unwrap_or((number.trim(), ""));
    if whole.is_empty() && part.is_empty() || part.len() > 3 {
        return None;
    }
    let digits = |text: &str| -> Option<u64> {
        if text.is_empty() {
            Some(0)
        } else {
            text.parse().ok()
        }
    };
    let thousandths = digits(whole)?
        .checked_mul(1000)?
        .checked_add(digits(&format!("{part:0<3}"))?)?;
    let plain = thousandths.checked_mul(1024)?;
    plain.is_multiple_of(1000).then_some(plain / 1000)
}
