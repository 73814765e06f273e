//! Plans the steps before falconutil starts, and chooses the falconutil.

use super::emulator_refusal;
use super::ready::Ready;
use super::stages::Plan;
use super::step::{Falconutil, Pull, Role, Step};
use crate::domain::emulation::Registration;
use crate::domain::platform::Platform;
use crate::flow::config::patch::{Emulation, PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourceOrigin;
use crate::report::problem::Problem;

/// The images that the engine does not hold yet.
pub(super) fn pulls(facts: &Facts, ready: &Ready<'_>, is_native: bool) -> Vec<Step> {
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
    if let Some(native) = sensor.native.as_ref().filter(|_| !is_native) {
        pulls.push(Pull {
            role: Role::NativeSensor,
            repository: sensor_repository.clone(),
            digest: native.clone(),
        });
    }
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
    ready: &Ready<'_>,
    is_native: bool,
    strategy: Strategy,
    mut prepare: Vec<Step>,
    plan: &mut Plan,
) {
    let choice = Choice::of(facts, ready, is_native);
    let open = choice.open(facts, is_native);
    if open.is_empty() {
        plan.then(prepare);
        plan.then_patch(strategy, choice.made());
        return;
    }
    prepare.extend(open);
    plan.then_probe(prepare);
    let Choice { arm64, native } = choice;
    match native {
        Some(native) if facts.probes.native_knows_platform != Some(false) => {
            let only_if = "the native falconutil knows `--platform`";
            let native = Falconutil {
                knows_platform: true,
                ..native
            };
            plan.then_if(only_if, Step::patch_by(strategy, native));
            plan.then_if("it does not", Step::patch_by(strategy, arm64));
        }
        _ => plan.then_patch(strategy, arm64),
    }
}

/// The falconutils that there are.
struct Choice {
    arm64: Falconutil,
    /// The one of the engine's own platform, where that is another.
    native: Option<Falconutil>,
}

impl Choice {
    fn of(facts: &Facts, ready: &Ready<'_>, is_native: bool) -> Self {
        let (sensor, repository) = (ready.sensor, ready.sensor_origin());
        let native = sensor.native.as_ref().filter(|_| !is_native);
        Self {
            arm64: Falconutil {
                image: repository.at(&sensor.arm64),
                arm64: true,
                emulated: !is_native,
                knows_platform: facts.probes.arm64_knows_platform == Some(true),
            },
            native: native.map(|digest| Falconutil {
                image: repository.at(digest),
                arm64: false,
                emulated: false,
                knows_platform: facts.probes.native_knows_platform == Some(true),
            }),
        }
    }

    /// The probes that are needed before one can be chosen.
    fn open(&self, facts: &Facts, is_native: bool) -> Vec<Step> {
        // An ARM64 engine builds for ARM64 by itself, so the flag makes no difference there.
        if is_native {
            return Vec::new();
        }
        let probes = &facts.probes;
        let asked = match (
            &self.native,
            probes.native_knows_platform,
            probes.arm64_knows_platform,
        ) {
            (Some(native), None, _) => Some(native),
            (Some(_), Some(true), _) | (_, _, Some(_)) => None,
            (Some(_), Some(false), None) | (None, _, None) => Some(&self.arm64),
        };
        let runs = probes.arm64_runs == Some(true);
        let try_arm64 = (!runs).then(|| Step::ProbeArm64 {
            image: self.arm64.image.clone(),
        });
        // The ARM64 falconutil can only be probed once ARM64 programs are known to run.
        let ask = asked.filter(|falconutil| runs || !falconutil.arm64);
        let ask = ask.cloned().map(Step::ProbeFalconutil);
        try_arm64.into_iter().chain(ask).collect()
    }

    /// The one that patches, once nothing is open.
    fn made(self) -> Falconutil {
        let native = self.native.filter(|native| native.knows_platform);
        native.unwrap_or(self.arm64)
    }
}
