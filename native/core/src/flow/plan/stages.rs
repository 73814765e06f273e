use super::graft_source::GraftSource;
use super::step::{Falconutil, Step};
use crate::flow::config::patch::{Config, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourceFacts;

/// What to do, stage after stage.
///
/// What follows a probing stage is a forecast: once the probe has told, the facts have grown and
/// [`plan`] is asked again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The stages, in order.
    pub stages: Vec<Stage>,
    /// Why the target's image is kept as it is; none if a new one is made.
    pub kept: Option<Kept>,
}

/// Why no image is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// It is what the run would make.
    UpToDate,
    /// Its tag cannot be overwritten, and nothing speaks against it.
    Adopted,
}

/// Steps that run side by side, each as soon as those are done that it [needs](Step::needs).
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

    /// Has falconutil work; whether a graft is possible shows only then.
    pub(super) fn then_patch(&mut self, way: Way, falconutil: Falconutil, knows_platform: bool) {
        self.stages.push(Stage {
            steps: vec![way.patch(falconutil, knows_platform)],
            probes: way == Way::Graft,
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

/// How the image comes to be patched.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// falconutil patches the source in the engine.
    Full,
    /// It patches a stub there, and the registry does the rest.
    Graft,
}

impl Way {
    pub(super) fn of(config: &Config, source: &SourceFacts, facts: &Facts) -> Self {
        let is_refused = matches!(facts.probes.graft, Some(Err(_)));
        match config.strategy {
            Strategy::Graft if !is_refused && GraftSource::of(source).is_ok() => Self::Graft,
            Strategy::Graft | Strategy::Full => Self::Full,
        }
    }

    /// The step in which falconutil works.
    pub(super) fn patch(self, falconutil: Falconutil, knows_platform: bool) -> Step {
        match self {
            Self::Full => Step::Patch {
                falconutil,
                knows_platform,
            },
            Self::Graft => Step::Graft {
                falconutil,
                knows_platform,
            },
        }
    }
}
