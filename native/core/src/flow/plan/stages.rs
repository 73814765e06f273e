//! The stages that a plan consists of.

use super::step::{Falconutil, Step};
use crate::flow::config::patch::Strategy;

/// The work of a run, stage after stage.
///
/// The stages after a probing one are a forecast. Once the probe has run, the facts have grown and the plan is
/// computed again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The stages, in order.
    pub stages: Vec<Stage>,
}

/// Steps that run side by side, each as soon as those are done that it [needs](Step::needs).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stage {
    /// The steps.
    pub steps: Vec<Step>,
    /// True if the facts grow by it, so that the plan is computed again after it.
    pub probes: bool,
    /// The condition under which the stage runs at all, in a forecast that a probe will decide.
    pub only_if: Option<&'static str>,
}

impl Plan {
    /// Checks that a step does something with the engine.
    #[must_use]
    pub fn uses_engine(&self) -> bool {
        let mut steps = self.stages.iter().flat_map(|stage| &stage.steps);
        steps.any(Step::uses_engine)
    }

    pub(super) fn then(&mut self, steps: Vec<Step>) {
        if !steps.is_empty() {
            self.stages.push(Stage {
                steps,
                ..Stage::default()
            });
        }
    }

    pub(super) fn then_probe(&mut self, steps: Vec<Step>) {
        self.stages.push(Stage {
            steps,
            probes: true,
            only_if: None,
        });
    }

    /// Appends falconutil's work; only its result shows whether a graft is possible.
    pub(super) fn then_patch(&mut self, strategy: Strategy, falconutil: Falconutil) {
        self.stages.push(Stage {
            steps: vec![Step::patch_by(strategy, falconutil)],
            probes: strategy == Strategy::Graft,
            only_if: None,
        });
    }

    pub(super) fn then_if(&mut self, only_if: &'static str, step: Step) {
        self.stages.push(Stage {
            steps: vec![step],
            probes: false,
            only_if: Some(only_if),
        });
    }
}
