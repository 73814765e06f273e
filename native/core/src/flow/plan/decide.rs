//! Decides what to do, from the configuration and the facts alone.

use super::prepare::{builder_step, emulator_step, for_later_steps, patch_steps, pulls};
use super::refusal;
use super::stages::{Kept, Plan, Way};
use super::step::{Role, Step};
use super::target_state::{TargetState, standing};
use crate::domain::platform::Platform;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::Config;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::target::TargetFacts;
use crate::report::problem::Problem;

/// What to do, in view of the facts.
///
/// # Errors
/// Why it cannot be done at all, found before anything is changed.
pub fn plan(config: &Config, facts: &Facts) -> Result<Plan, Problem> {
    if let Some(mut plan) = kept(config, facts) {
        plan.then(for_later_steps(config, facts)?);
        hand_over(config, &mut plan);
        return Ok(plan);
    }
    let ready = refusal::check(config, facts)?;
    let (source, sensor, target) = (ready.source, ready.sensor, ready.target);
    let engine = facts.engine.clone()?;
    let is_native = engine.platform == Platform::linux_arm64();
    let way = Way::of(config, source, facts);
    let mut plan = Plan::default();
    if facts.probes.graft == Some(Ok(())) {
        finish(config, target, way, &mut plan);
        hand_over(config, &mut plan);
        return Ok(plan);
    }
    let copy = sensor.copy.clone().map(Step::CopySensor);
    let install = emulator_step(config, facts, is_native)?;
    let beside = install.into_iter().chain(builder_step(config, facts)?);
    let mut pulls = pulls(facts, source, sensor, is_native);
    if way == Way::Graft {
        pulls.retain(|step| !matches!(step, Step::Pull(pull) if pull.role == Role::Source));
    }
    let prepare = match &config.staging_image {
        // The addresses that are pulled from are known once the registry runs.
        Some(image) if facts.staged.is_none() => {
            let stage = Step::Stage(image.clone());
            plan.then_probe(copy.into_iter().chain([stage]).chain(beside).collect());
            pulls
        }
        _ => copy.into_iter().chain(pulls).chain(beside).collect(),
    };
    patch_steps(facts, sensor, is_native, way, prepare, &mut plan);
    finish(config, target, way, &mut plan);
    hand_over(config, &mut plan);
    Ok(plan)
}

/// Whether the run would leave the registry as it is, so that nothing else need be known.
pub fn changes_nothing(config: &Config, facts: &Facts) -> bool {
    kept(config, facts).is_some_and(|plan| plan.stages.is_empty())
}

/// What there is to do beside the image, if that stays as it is.
pub(super) fn kept(config: &Config, facts: &Facts) -> Option<Plan> {
    let kept = match standing(config, facts) {
        TargetState::UpToDate => Kept::UpToDate,
        TargetState::Adopted => Kept::Adopted,
        TargetState::Outdated(_) | TargetState::Unknown => return None,
    };
    let target = facts.target.as_ref().ok()?;
    let current = target.current.as_ref()?;
    let mut plan = Plan {
        kept: Some(kept),
        ..Plan::default()
    };
    let missing = config
        .other_tags()
        .filter(|tag| !target.names(tag, &current.image.digest));
    plan.then(missing.map(|tag| add_tag(target, tag)).collect());
    Some(plan)
}

fn finish(config: &Config, target: &TargetFacts, way: Way, plan: &mut Plan) {
    let repository = &target.repository;
    if way == Way::Full {
        plan.then(vec![Step::Prove]);
    }
    // As late as that, so that nothing is left behind when there is nothing to push.
    if target.is_missing {
        plan.then(vec![Step::CreateRepository {
            repository: repository.clone(),
        }]);
    }
    let others = config.other_tags().map(|tag| add_tag(target, tag));
    match way {
        Way::Full => {
            plan.then(vec![Step::Push {
                repository: repository.clone(),
                tag: config.target_tag.clone(),
            }]);
            plan.then(vec![Step::ReadBack]);
            plan.then(
                std::iter::once(Step::RecordProvenance)
                    .chain(others)
                    .collect(),
            );
        }
        Way::Graft => {
            plan.then(vec![Step::PushGrafted {
                repository: repository.clone(),
            }]);
            plan.then(vec![Step::ReadBack]);
            plan.then(vec![Step::RecordProvenance]);
            // Not before all else is there, so that a run that is cut off leaves no tag behind.
            let first = add_tag(target, &config.target_tag);
            plan.then(std::iter::once(first).chain(others).collect());
        }
    }
}

/// Puts the image that is in the registry by then into the ECS task definition, last, since what is registered may be deployed
/// at once.
fn hand_over(config: &Config, plan: &mut Plan) {
    if let Some(file) = &config.task_definition {
        plan.then(vec![Step::WriteTaskDefinition]);
        if file.register {
            plan.then(vec![Step::RegisterTaskDefinition]);
        }
    }
}

fn add_tag(target: &TargetFacts, tag: &Tag) -> Step {
    Step::AddTag {
        repository: target.repository.clone(),
        tag: tag.clone(),
    }
}
