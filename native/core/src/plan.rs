//! Decides what to do, from the configuration and the facts alone.

mod refusal;

use crate::config::{Config, Emulation};
use crate::emulation::Registration;
use crate::error::Problem;
use crate::facts::{Facts, SensorFacts, SourceFacts, SourcePlace, TargetFacts};
use crate::platform::Platform;
use crate::step::{Falconutil, Pull, Role, Step};

/// What to do, stage after stage.
///
/// What follows a probing stage is a forecast: once the probe has told, the facts have grown and
/// [`plan`] is asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The stages, in order.
    pub stages: Vec<Stage>,
}

/// Steps that run side by side.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The steps.
    pub steps: Vec<Step>,
    /// Whether the facts grow by it, so that what follows is decided anew.
    pub probes: bool,
    /// The condition under which the stage runs at all, in a forecast that a probe will decide.
    pub only_if: Option<&'static str>,
}

impl Plan {
    fn then(&mut self, steps: Vec<Step>) {
        if !steps.is_empty() {
            self.stages.push(Stage {
                steps,
                ..Stage::default()
            });
        }
    }

    fn then_probe(&mut self, steps: Vec<Step>) {
        self.stages.push(Stage {
            steps,
            probes: true,
            only_if: None,
        });
    }

    fn then_if(&mut self, only_if: &'static str, step: Step) {
        self.stages.push(Stage {
            steps: vec![step],
            probes: false,
            only_if: Some(only_if),
        });
    }
}

/// What to do, in view of the facts.
///
/// # Errors
/// Why it cannot be done at all, found before anything is changed.
pub fn plan(config: &Config, facts: &Facts) -> Result<Plan, Problem> {
    let (source, sensor, target) = refusal::check(config, facts)?;
    let engine = facts.engine.clone()?;
    let is_native = engine.platform == Platform::linux_arm64();
    let mut plan = Plan::default();
    let mut prepare = pulls(facts, source, sensor, is_native);
    let after_copy = copy_first(sensor, &mut prepare);
    if let Some(install) = emulator_step(config, facts, is_native)? {
        prepare.push(install);
    }
    prepare.extend(builder_step(config, facts)?);
    plan.then(prepare);
    plan.then(after_copy);
    let patch = patch_steps(facts, sensor, is_native, &mut plan);
    if let Some(patch) = patch {
        plan.then(vec![patch]);
    }
    finish(config, target, &mut plan);
    Ok(plan)
}

/// The images that the engine does not hold yet.
fn pulls(facts: &Facts, source: &SourceFacts, sensor: &SensorFacts, is_native: bool) -> Vec<Step> {
    let mut pulls = Vec::new();
    if let SourcePlace::Registry {
        repository, image, ..
    } = &source.place
    {
        pulls.push(Pull {
            role: Role::Source,
            repository: repository.clone(),
            digest: image.digest.clone(),
        });
    }
    pulls.push(Pull {
        role: Role::Sensor,
        repository: sensor.repository.clone(),
        digest: sensor.arm64.clone(),
    });
    if let Some(native) = sensor.native.as_ref().filter(|_| !is_native) {
        pulls.push(Pull {
            role: Role::NativeSensor,
            repository: sensor.repository.clone(),
            digest: native.clone(),
        });
    }
    pulls.retain(|pull| !facts.in_engine.contains(&pull.digest));
    pulls.into_iter().map(Step::Pull).collect()
}

/// Has the sensor copied beside all that does not wait for it; what does is left for the next stage.
fn copy_first(sensor: &SensorFacts, prepare: &mut Vec<Step>) -> Vec<Step> {
    let Some(copy) = &sensor.copy else {
        return Vec::new();
    };
    let waits = |step: &Step| matches!(step, Step::Pull(pull) if pull.role != Role::Source);
    let (after, mut now): (Vec<Step>, Vec<Step>) = prepare.drain(..).partition(waits);
    now.insert(0, Step::CopySensor(copy.clone()));
    *prepare = now;
    after
}

/// Whether and how ARM64 programs come to run here.
fn emulator_step(config: &Config, facts: &Facts, is_native: bool) -> Result<Option<Step>, Problem> {
    if is_native || facts.probes.arm64_runs == Some(true) {
        return Ok(None);
    }
    let tried = facts.probes.arm64_runs == Some(false);
    let missing = match facts.handler {
        Registration::Registered(_) if tried => {
            return Err(refusal::emulator_without_effect(facts));
        }
        Registration::Registered(_) => false,
        Registration::Absent => true,
        // The kernel is another machine's, so only trying tells.
        Registration::Unknown => tried,
    };
    match (missing, config.emulation, facts.probes.emulator_installed) {
        (false, ..) => Ok(None),
        (true, _, true) => Err(refusal::emulator_without_effect(facts)),
        (true, Emulation::Never, _) => Err(refusal::emulator_missing()),
        (true, Emulation::Auto, false) => {
            Ok(Some(Step::InstallEmulator(config.emulator_image.clone())))
        }
    }
}

/// Whether a builder for later steps has yet to be made.
fn builder_step(config: &Config, facts: &Facts) -> Result<Option<Step>, Problem> {
    let (Some(name), Some(builder)) = (&config.builder, &facts.builder) else {
        return Ok(None);
    };
    let is_made = builder.as_ref().map_err(Clone::clone)?.is_made;
    Ok((!is_made).then(|| Step::CreateBuilder(name.clone())))
}

/// The probes that are still open, or the one step that patches.
fn patch_steps(
    facts: &Facts,
    sensor: &SensorFacts,
    is_native: bool,
    plan: &mut Plan,
) -> Option<Step> {
    let arm64 = Falconutil {
        image: sensor.repository.at(&sensor.arm64),
        arm64: true,
        emulated: !is_native,
    };
    if is_native {
        // An ARM64 engine builds for ARM64 by itself, so the flag makes no difference.
        return Some(Step::Patch {
            falconutil: arm64,
            knows_platform: false,
        });
    }
    let native = sensor.native.as_ref().map(|digest| Falconutil {
        image: sensor.repository.at(digest),
        arm64: false,
        emulated: false,
    });
    let mut probes = Vec::new();
    if facts.probes.arm64_runs != Some(true) {
        probes.push(Step::ProbeArm64 {
            image: arm64.image.clone(),
        });
    }
    let open = match (
        &native,
        facts.probes.native_knows_platform,
        facts.probes.arm64_knows_platform,
    ) {
        (Some(native), None, _) => Some(native.clone()),
        (Some(_), Some(true), _) | (_, _, Some(_)) => None,
        (Some(_), Some(false), None) | (None, _, None) => Some(arm64.clone()),
    };
    if probes.is_empty() && open.is_none() {
        return Some(match native {
            Some(falconutil) if facts.probes.native_knows_platform == Some(true) => Step::Patch {
                falconutil,
                knows_platform: true,
            },
            _ => Step::Patch {
                falconutil: arm64,
                knows_platform: facts.probes.arm64_knows_platform == Some(true),
            },
        });
    }
    // The ARM64 falconutil can only be asked once ARM64 programs are known to run.
    probes.extend(
        open.filter(|falconutil| probes.is_empty() || !falconutil.arm64)
            .map(Step::ProbeFalconutil),
    );
    plan.then_probe(probes);
    match native {
        Some(native) if facts.probes.native_knows_platform != Some(false) => {
            plan.then_if(
                "the native falconutil knows `--platform`",
                Step::Patch {
                    falconutil: native,
                    knows_platform: true,
                },
            );
            plan.then_if(
                "it does not",
                Step::Patch {
                    falconutil: arm64,
                    knows_platform: false,
                },
            );
            None
        }
        _ => Some(Step::Patch {
            falconutil: arm64,
            knows_platform: false,
        }),
    }
}

fn finish(config: &Config, target: &TargetFacts, plan: &mut Plan) {
    let repository = &target.repository;
    plan.then(vec![Step::Prove]);
    // As late as that, so that nothing is left behind when there is nothing to push.
    if target.is_missing {
        plan.then(vec![Step::CreateRepository {
            repository: repository.clone(),
        }]);
    }
    plan.then(vec![Step::Push {
        repository: repository.clone(),
        tag: config.target_tag.clone(),
    }]);
    plan.then(vec![Step::ReadBack]);
    let more = config
        .additional_tags
        .iter()
        .filter(|tag| **tag != config.target_tag);
    plan.then(
        more.map(|tag| Step::AddTag {
            repository: repository.clone(),
            tag: tag.clone(),
        })
        .collect(),
    );
}

#[cfg(test)]
mod tests;
