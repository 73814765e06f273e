//! Decides whether the native falconutil is to run by itself, in the ARM64 image, so that its own image is not pulled.

use crate::domain::engine::Mountable;
use crate::domain::falcon::program::ProgramObstacle;
use crate::flow::config::patch::{PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;

/// The answer, or the obstacle that is known so far; none where there is no second image to pull.
///
/// `strategy: full` runs falconutil in its own image, as `CrowdStrike` documents it. A local registry has a copy of that
/// image anyway.
pub fn native_program(
    config: &PatchConfig,
    facts: &Facts,
    strategy: Strategy,
) -> Option<Result<(), ProgramObstacle>> {
    let sensor = facts.sensor.as_ref().ok()?;
    let native = sensor.native.as_ref()?;
    let is_there = facts.in_engine.contains(native);
    let is_needed = facts.cache_hit().is_none() && !is_there;
    if strategy != Strategy::Graft || config.staging_image.is_some() || !is_needed {
        return None;
    }
    let mounts = facts.mounts.as_ref().map(|mounts| &mounts.agent_folder);
    Some(match (&facts.probes.program, mounts) {
        (Some(probed), _) => probed.clone(),
        (None, Some(Mountable::Yes)) => Ok(()),
        (None, Some(Mountable::No | Mountable::Unknown(_)) | None) => {
            Err(ProgramObstacle::NotMountable)
        }
    })
}
