//! What steps find out, and what becomes of the facts by it.

use super::drive::Run;
use super::step_outcome::StepOutcome;
use crate::flow::facts::patch::Facts;
use crate::flow::look::gather;

impl Run {
    /// The facts grow.
    pub(super) fn learn(&self, facts: &mut Facts, learned: StepOutcome) {
        match learned {
            StepOutcome::InEngine(digest) => {
                facts.in_engine.insert(digest);
            }
            StepOutcome::SensorCopied => {
                if let Ok(sensor) = &mut facts.sensor {
                    sensor.copy = None;
                }
            }
            StepOutcome::EmulatorInstalled => {
                facts.handler = gather::handler(facts.engine.as_ref().ok(), &self.services);
                facts.probes.emulator_installed = true;
                facts.probes.arm64_runs = None;
            }
            StepOutcome::Staged(staged) => {
                // What the engine holds is held under other names.
                facts.in_engine.clear();
                facts.staged = Some(staged);
            }
            StepOutcome::BuilderMade => {
                if let Some(Ok(builder)) = &mut facts.builder {
                    builder.is_made = true;
                }
            }
            StepOutcome::Arm64Runs(runs) => facts.probes.arm64_runs = Some(runs),
            StepOutcome::KnowsPlatform { arm64: true, knows } => {
                facts.probes.arm64_knows_platform = Some(knows);
            }
            StepOutcome::KnowsPlatform {
                arm64: false,
                knows,
            } => facts.probes.native_knows_platform = Some(knows),
            StepOutcome::Grafted(grafted) => facts.probes.graft = Some(grafted),
            StepOutcome::Nothing => {}
        }
    }
}
