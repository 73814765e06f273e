//! A stage of a plan as a JavaScript object.

use napi_derive::napi;

/// A stage of a plan.
#[napi(object, object_from_js = false)]
pub struct PlannedStage {
    /// Titles of the steps that run side by side.
    pub steps: Vec<String>,
    /// The condition under which they run, where a probe decides it.
    pub only_if: Option<String>,
}

impl From<falcon_patch_core::PlannedStage> for PlannedStage {
    fn from(stage: falcon_patch_core::PlannedStage) -> Self {
        Self {
            steps: stage.steps,
            only_if: stage.only_if.map(str::to_owned),
        }
    }
}
