//! The clean-up after a job.

use falcon_patch_core::silence_panics;
use napi_derive::napi;

use crate::context::AgentContext;

/// Result of a sweep.
#[napi(object, object_from_js = false)]
pub struct SweepReport {
    /// Leftovers that were removed, a phrase each.
    pub removed: Vec<String>,
    /// Leftovers that could not be removed, a sentence each.
    pub failed: Vec<String>,
}

/// Removes what runs of this job left for its end, and what earlier jobs of this agent left behind.
#[napi]
pub async fn sweep(agent: AgentContext) -> SweepReport {
    silence_panics();
    let swept = falcon_patch_core::sweep(&agent.into()).await;
    SweepReport {
        removed: swept.removed,
        failed: swept.failed,
    }
}
