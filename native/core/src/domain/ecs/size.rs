//! The task sizes that Fargate has (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html>).

use serde_json::{Map, Value};

use super::findings::Findings;
use super::placeholder::placeholders;
use crate::report::code::Code;

/// The MiB of memory that a task can have.
enum Memory {
    Only(&'static [u64]),
    Steps { least: u64, most: u64, step: u64 },
}

const fn steps(least: u64, most: u64, step: u64) -> Memory {
    Memory::Steps { least, most, step }
}

/// CPU units, with the memory that a task of that size can have.
const SIZES: [(u64, Memory); 8] = [
    (256, Memory::Only(&[512, 1024, 2048])),
    (512, steps(1024, 4096, 1024)),
    (1024, steps(2048, 8192, 1024)),
    (2048, steps(4096, 16384, 1024)),
    (4096, steps(8192, 30720, 1024)),
    (8192, steps(16384, 61440, 4096)),
    (16384, steps(32768, 122_880, 8192)),
    (32768, Memory::Only(&[61440, 122_880, 249_856])),
];

/// The most CPU units and the most MiB of the table. Fargate grows at this end.
const LARGEST: (u64, u64) = (32768, 249_856);

impl Memory {
    fn has(&self, mebibytes: u64) -> bool {
        match self {
            Self::Only(all) => all.contains(&mebibytes),
            Self::Steps { least, most, step } => {
                (*least..=*most).contains(&mebibytes) && mebibytes.is_multiple_of(*step)
            }
        }
    }

    fn describe(&self) -> String {
        match self {
            Self::Only(all) => {
                let all: Vec<String> = all.iter().map(ToString::to_string).collect();
                format!("{} MiB", all.join(", "))
            }
            Self::Steps { least, most, step } => {
                format!("{least} to {most} MiB in steps of {step}")
            }
        }
    }
}

/// The size of a task; none where a field is missing or cannot be read.
#[derive(Clone, Copy)]
pub(super) struct Size {
    /// CPU units, 1024 of which are a processor.
    pub(super) cpu: Option<u64>,
    /// Memory in MiB.
    pub(super) memory: Option<u64>,
}

/// Reads the size, and refuses one that Fargate does not have. A larger one than it was known to have is a warning.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>) -> Size {
    let size = Size {
        cpu: amount(findings, input, "cpu", "vCPU"),
        memory: amount(findings, input, "memory", "GB"),
    };
    let Some(cpu) = size.cpu else {
        return size;
    };
    let is_largest = |memory| cpu >= LARGEST.0 && memory > LARGEST.1;
    if cpu > LARGEST.0 || size.memory.is_some_and(is_largest) {
        let (cpu, memory) = LARGEST;
        findings.warn(
            Code::EcsSizeUnknown,
            format!("The task is larger than {cpu} CPU units with {memory} MiB, the largest size that is known of Fargate; ECS decides when the definition is registered"),
        );
        return size;
    }
    let Some((_, allowed)) = SIZES.iter().find(|(units, _)| *units == cpu) else {
        let all: Vec<String> = SIZES.iter().map(|(units, _)| units.to_string()).collect();
        let all = all.join(", ");
        findings.refuse("cpu", format!("is {cpu} units, and Fargate supports {all}"));
        return size;
    };
    if let Some(memory) = size.memory
        && !allowed.has(memory)
    {
        let allowed = allowed.describe();
        findings.refuse(
            "memory",
            format!("is {memory} MiB; with `cpu` at {cpu}, Fargate supports {allowed}"),
        );
    }
    size
}

/// Reads `1024`, `1 vCPU` or `3 GB`; both units are 1024 of the plain one.
fn amount(
    findings: &mut Findings,
    input: &Map<String, Value>,
    field: &str,
    unit: &str,
) -> Option<u64> {
    let Some(value) = input.get(field) else {
        findings.refuse(
            field,
            "is missing: Fargate needs it for the whole task, not only for containers",
        );
        return None;
    };
    let text = value.as_str()?;
    let parsed = parse(text.trim(), unit);
    // A placeholder is reported as what it is, or filled in later.
    if parsed.is_none() && placeholders(text).is_empty() {
        findings.refuse(
            field,
            format!("is `{text}`, and must be as `1024` or `1 {unit}`"),
        );
    }
    parsed
}

fn parse(text: &str, unit: &str) -> Option<u64> {
    let (text, unit) = (text.to_ascii_lowercase(), unit.to_ascii_lowercase());
    let Some(number) = text.strip_suffix(&unit) else {
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
