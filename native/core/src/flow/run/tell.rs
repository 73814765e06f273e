//! Says what was decided, and why.

use super::drive::Run;
use crate::flow::config::patch::Strategy;
use crate::flow::facts::patch::Facts;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::stages::Plan;
use crate::flow::plan::step::Step;
use crate::flow::plan::target_state::TargetState;
use crate::report::code::Code;
use crate::report::event::{Event, PlannedStage, StepEvents};

impl Run {
    /// Says why an image that is there is kept or made anew.
    pub(super) fn log_target_state(&self, state: TargetState, events: &StepEvents) {
        match state {
            TargetState::Outdated(reason) => {
                if let Some(text) = reason.text() {
                    events.note(format!("Target: {text}"));
                }
            }
            TargetState::UpToDate => events.note("Target: it is what patching would make, by its provenance, its layers and its configuration"),
            TargetState::Adopted => events.warning(
                Code::FalconTargetAdopted,
                format!("The tag `{}` cannot be overwritten, and its image is the source patched with these options; it is taken as it is, though nothing records which sensor is in it", self.config.target_tag),
                Some("A run that was stopped after its push leaves such an image; to be sure of the sensor, push another tag".to_owned()),
            ),
            TargetState::Unknown => {}
        }
    }

    /// Says why the full way is taken where the other was asked for.
    pub(super) fn tell_way(&self, facts: &Facts, events: &StepEvents) {
        if let (Strategy::Graft, Ok(source)) = (self.config.strategy, &facts.source)
            && let Err(obstacle) = GraftSource::of(source)
        {
            events.note(obstacle.told());
        }
    }

    pub(super) fn log_plan(&self, plan: &Plan) {
        if plan.stages.is_empty() {
            return;
        }
        self.events.send(Event::Planned {
            stages: forecast(plan),
        });
    }
}

/// The plan for people.
pub(super) fn forecast(plan: &Plan) -> Vec<PlannedStage> {
    let stages = plan.stages.iter();
    stages
        .map(|stage| PlannedStage {
            steps: stage.steps.iter().map(Step::to_string).collect(),
            only_if: stage.only_if,
        })
        .collect()
}
