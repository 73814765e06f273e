//! Refuses a run on an agent where ARM64 programs do not run.

use crate::domain::emulation::Registration;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::patch::Facts;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// The command that has the emulator image do something.
fn emulator_command(config: &PatchConfig, arguments: &str) -> String {
    let image = &config.emulator_image;
    let image = image.repository.at(&image.digest);
    format!("docker run --privileged --rm {image} {arguments}")
}

pub(super) fn emulator_missing(config: &PatchConfig) -> Problem {
    Problem {
        code: Code::EmulationMissing,
        what: "ARM64 programs cannot run on this agent, and `emulation: never` does not allow installing an emulator".to_owned(),
        why: vec!["falconutil runs ARM64 programs of the sensor image while it patches, and the kernel has no handler for them".to_owned()],
        hint: Some(format!("Set `emulation: auto`, or ask the agent's administrator to install one: `{}`", emulator_command(config, "--install arm64"))),
    }
}

pub(super) fn emulator_without_effect(config: &PatchConfig, facts: &Facts) -> Problem {
    let handler = match &facts.handler {
        Registration::Registered(handler) if !handler.works_in_containers() => format!("the handler `{}` lacks the flag F, so it is not found inside containers", handler.name),
        Registration::Registered(handler) => format!("the handler `{}` is registered, but an ARM64 program of the sensor image did not run", handler.name),
        Registration::Absent => "the emulator image ended without an error, but no handler is registered".to_owned(),
        Registration::Unknown => "the engine's kernel is not this machine's, and an ARM64 program of the sensor image did not run".to_owned(),
    };
    Problem {
        code: Code::EmulationNoEffect,
        what: "ARM64 programs do not run on this agent although an emulator was installed"
            .to_owned(),
        why: vec![handler],
        hint: Some(format!(
            "Remove the handler and install a current one: `{}`, then `{}`",
            emulator_command(config, "--uninstall qemu-aarch64"),
            emulator_command(config, "--install arm64")
        )),
    }
}
