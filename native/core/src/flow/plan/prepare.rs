//! Plans the steps before falconutil starts.

use super::emulator_refusal;
use super::falconutil_choice::Choice;
use super::ready::Ready;
use super::stages::Plan;
use super::step::{Pull, Role, Step};
use crate::domain::emulation::Registration;
use crate::domain::platform::Platform;
use crate::flow::config::patch::{Emulation, PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourceOrigin;
use crate::report::problem::Problem;

/// The images that the engine does not hold yet.
pub(super) fn pulls(facts: &Facts, ready: &Ready<'_>, choice: &Choice) -> Vec<Step> {
    let mut pulls = Vec::new();
    if let SourceOrigin::Registry(repository, digest) = ready.source_origin() {
        pulls.push(Pull {
            role: Role::Source,
            repository: repository.clone(),
            digest: digest.clone(),
        });
    }
    let (sensor, sensor_repository) = (ready.sensor, ready.sensor_origin());
    pulls.push(Pull {
        role: Role::Sensor,
        repository: sensor_repository.clone(),
        digest: sensor.arm64.clone(),
    });
    pulls.extend(choice.native_pull().cloned());
    pulls.retain(|pull| !facts.in_engine.contains(&pull.digest));
    pulls.into_iter().map(Step::Pull).collect()
}

/// The step that installs an emulator; none where ARM64 programs run, or may run, without it.
pub(super) fn emulator_step(
    config: &PatchConfig,
    facts: &Facts,
    is_native: bool,
) -> Result<Option<Step>, Problem> {
    if is_native || facts.probes.arm64_runs == Some(true) {
        return Ok(None);
    }
    let tried = facts.probes.arm64_runs == Some(false);
    let missing = match facts.handler {
        Registration::Registered(_) if tried => {
            return Err(emulator_refusal::emulator_without_effect(config, facts));
        }
        Registration::Registered(_) => false,
        Registration::Absent => true,
        // The kernel is another machine's, so only an attempt shows it.
        Registration::Unknown => tried,
    };
    match (missing, config.emulation, facts.probes.emulator_installed) {
        (false, ..) => Ok(None),
        (true, _, true) => Err(emulator_refusal::emulator_without_effect(config, facts)),
        (true, Emulation::Never, _) => Err(emulator_refusal::emulator_missing(config)),
        (true, Emulation::Auto, false) => {
            Ok(Some(Step::InstallEmulator(config.emulator_image.clone())))
        }
    }
}

/// The steps beside an image that is kept: later steps rely on a builder, and on ARM64 programs that run.
pub(super) fn for_later_steps(config: &PatchConfig, facts: &Facts) -> Result<Vec<Step>, Problem> {
    if config.builder.is_none() {
        return Ok(Vec::new());
    }
    let is_native = facts.engine()?.platform == Platform::linux_arm64();
    let install = emulator_step(config, facts, is_native)?;
    Ok(install
        .into_iter()
        .chain(builder_step(config, facts)?)
        .collect())
}

/// The step that creates a builder for later steps; none where it exists or none is wanted.
pub(super) fn builder_step(config: &PatchConfig, facts: &Facts) -> Result<Option<Step>, Problem> {
    let (Some(name), Some(builder)) = (&config.builder, &facts.builder) else {
        return Ok(None);
    };
    let is_made = builder.as_ref().map_err(Clone::clone)?.is_made;
    Ok((!is_made).then(|| Step::CreateBuilder(name.clone())))
}

/// Plans the preparation with the probes that are still open, and the step that patches.
pub(super) fn patch_steps(
    facts: &Facts,
    choice: Choice,
    strategy: Strategy,
    mut prepare: Vec<Step>,
    plan: &mut Plan,
) {
    let open = choice.open(facts);
    if open.is_empty() {
        plan.then(prepare);
        plan.then_patch(strategy, choice.made());
        return;
    }
    let (fetch, instead) = choice.fetch(facts).unzip();
    prepare.extend(fetch.into_iter().chain(open));
    plan.then_probe(prepare);
    if let Some(pull) = instead {
        plan.then_if("falconutil does not run outside of its image", pull);
    }
    match choice.forecast(facts) {
        (Some(native), arm64) => {
            let only_if = "the native falconutil knows `--platform`";
            plan.then_if(only_if, Step::patch_by(strategy, native));
            plan.then_if("it does not", Step::patch_by(strategy, arm64));
        }
        (None, arm64) => plan.then_patch(strategy, arm64),
    }
}
