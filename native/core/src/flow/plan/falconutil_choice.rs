//! The falconutil that patches, and the probes that choose it.

use super::native_program::native_program;
use super::ready::Ready;
use super::step::{Falconutil, NativeProgram, Pull, Role, Step};
use crate::domain::platform::Platform;
use crate::flow::config::patch::{PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;

/// The falconutils that there are.
pub(super) struct Choice {
    arm64: Falconutil,
    /// The one of the engine's own platform, where that is another.
    native: Option<Native>,
    is_native: bool,
}

/// The falconutil of the engine's own platform.
struct Native {
    falconutil: Falconutil,
    /// The pull of its image, which it does not need where it runs by itself.
    pull: Pull,
}

impl Choice {
    pub(super) fn of(
        config: &PatchConfig,
        facts: &Facts,
        ready: &Ready<'_>,
        strategy: Strategy,
        engine: &Platform,
    ) -> Self {
        let is_native = *engine == Platform::linux_arm64();
        let (sensor, repository) = (ready.sensor, ready.sensor_origin());
        let native = sensor.native.as_ref().filter(|_| !is_native);
        let alone = matches!(native_program(config, facts, strategy), Some(Ok(())));
        let arm64 = repository.at(&sensor.arm64);
        let native = native.map(|digest| {
            let image = repository.at(digest);
            let program = NativeProgram {
                repository: repository.clone(),
                image: digest.clone(),
                platform: engine.clone(),
            };
            Native {
                falconutil: Falconutil {
                    image: if alone { arm64.clone() } else { image },
                    program: alone.then_some(program),
                    arm64: false,
                    emulated: false,
                    knows_platform: facts.probes.native_knows_platform == Some(true),
                },
                pull: Pull {
                    role: Role::NativeSensor,
                    repository: repository.clone(),
                    digest: digest.clone(),
                },
            }
        });
        Self {
            arm64: Falconutil {
                image: arm64,
                program: None,
                arm64: true,
                emulated: !is_native,
                knows_platform: facts.probes.arm64_knows_platform == Some(true),
            },
            native,
            is_native,
        }
    }

    /// The pull of the native image; none where there is none, or falconutil runs by itself.
    pub(super) fn native_pull(&self) -> Option<&Pull> {
        let native = self.native.as_ref()?;
        native.falconutil.program.is_none().then_some(&native.pull)
    }

    /// The step that fetches falconutil out of its image, and the pull that takes its place where it does not run by
    /// itself; none once that is known.
    pub(super) fn fetch(&self, facts: &Facts) -> Option<(Step, Step)> {
        let native = self.native.as_ref()?;
        let program = native.falconutil.program.clone()?;
        let is_open = facts.probes.program.is_none();
        is_open.then(|| {
            let pull = Step::Pull(native.pull.clone());
            (Step::FetchFalconutil(program), pull)
        })
    }

    /// The probes that are needed before one can be chosen.
    pub(super) fn open(&self, facts: &Facts) -> Vec<Step> {
        // An ARM64 engine builds for ARM64 by itself, so the flag makes no difference there.
        if self.is_native {
            return Vec::new();
        }
        let probes = &facts.probes;
        let native = self.native.as_ref().map(|native| &native.falconutil);
        let asked = match (
            native,
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

    /// The native one that would patch if it knew `--platform`, and the ARM64 one that would patch if not.
    pub(super) fn forecast(self, facts: &Facts) -> (Option<Falconutil>, Falconutil) {
        let may_know = facts.probes.native_knows_platform != Some(false);
        let native = self.native.filter(|_| may_know);
        let native = native.map(|native| Falconutil {
            knows_platform: true,
            ..native.falconutil
        });
        (native, self.arm64)
    }

    /// The one that patches, once nothing is open.
    pub(super) fn made(self) -> Falconutil {
        let native = self.native.map(|native| native.falconutil);
        let native = native.filter(|native| native.knows_platform);
        native.unwrap_or(self.arm64)
    }
}
