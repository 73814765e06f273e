//! Decides what to do, from the configuration and the facts alone.

use super::falconutil_choice::Choice;
use super::graft_source::GraftSource;
use super::prepare::{builder_step, emulator_step, for_later_steps, patch_steps, pulls};
use super::ready::Ready;
use super::refusal;
use super::stages::Plan;
use super::step::{Role, Step};
use super::target_state::TargetState;
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::{PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourceFacts;
use crate::flow::facts::target::TargetFacts;
use crate::report::problem::Problem;

/// The stages that are left, in view of the facts.
///
/// # Errors
/// The reason why no plan leads to the image, found before anything is changed.
pub fn plan(config: &PatchConfig, facts: &Facts, state: TargetState) -> Result<Plan, Problem> {
    let mut plan = Plan::default();
    if state.keeps_image() {
        let target = facts.target.as_ref().map_err(Clone::clone)?;
        let tags = missing_tags(config, target, state);
        plan.then(tags.map(|tag| add_tag(target, tag)).collect());
        plan.then(for_later_steps(config, facts)?);
    } else {
        let ready = refusal::check(config, facts)?;
        let strategy = strategy(config, facts, ready.source);
        if facts.cache_hit().is_some() {
            // The inputs ask for the sensor's copy, which later runs find.
            let copy = ready.sensor.copy.clone().map(Step::CopySensor);
            let beside = for_later_steps(config, facts)?;
            plan.then(copy.into_iter().chain(beside).collect());
        } else {
            if strategy == Strategy::Full {
                refusal::check_full(facts, ready.source)?;
            }
            if facts.probes.graft != Some(Ok(())) {
                build(config, facts, &ready, strategy, &mut plan)?;
            }
        }
        publish(config, facts, &ready, strategy, &mut plan);
    }
    hand_over(config, &mut plan);
    Ok(plan)
}

/// Checks that the run leaves the registry as it is, so that no more facts are needed.
#[must_use]
pub fn changes_nothing(config: &PatchConfig, facts: &Facts, state: TargetState) -> bool {
    let target = facts.target.as_ref().ok();
    let target = target.filter(|_| state.keeps_image());
    target.is_some_and(|target| missing_tags(config, target, state).next().is_none())
}

/// Checks that the run does something with the engine, so that its facts are needed.
#[must_use]
pub fn uses_engine(config: &PatchConfig, facts: &Facts, state: TargetState) -> bool {
    let patches = !state.keeps_image() && facts.cache_hit().is_none();
    patches || config.builder.is_some()
}

/// The other wanted tags that do not name the kept image yet.
fn missing_tags<'a>(
    config: &'a PatchConfig,
    target: &'a TargetFacts,
    state: TargetState,
) -> impl Iterator<Item = &'a Tag> {
    let kept = state.kept_image(target);
    let tags = config.other_tags();
    tags.filter(move |tag| kept.is_some_and(|image| !target.names(tag, &image.digest)))
}

/// The strategy that is wanted, or the full one where the source or a probe rules out a graft. A source that the engine
/// cannot get leaves a graft.
fn strategy(config: &PatchConfig, facts: &Facts, source: &SourceFacts) -> Strategy {
    let is_wanted = config.strategy == Strategy::Graft || facts.probes.source_incomplete.is_some();
    let is_refused = matches!(facts.probes.graft, Some(Err(_)));
    if is_wanted && !is_refused && GraftSource::of(source).is_ok() {
        Strategy::Graft
    } else {
        Strategy::Full
    }
}

/// Plans everything up to falconutil's work.
fn build(
    config: &PatchConfig,
    facts: &Facts,
    ready: &Ready<'_>,
    strategy: Strategy,
    plan: &mut Plan,
) -> Result<(), Problem> {
    let engine = facts.engine()?;
    let is_native = engine.platform == Platform::linux_arm64();
    let copy = ready.sensor.copy.clone().map(Step::CopySensor);
    let install = emulator_step(config, facts, is_native)?;
    let beside = install.into_iter().chain(builder_step(config, facts)?);
    let choice = Choice::of(config, facts, ready, strategy, &engine.platform);
    let mut pulls = pulls(facts, ready, &choice);
    if strategy == Strategy::Graft {
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
    patch_steps(facts, choice, strategy, prepare, plan);
    Ok(())
}

/// Plans everything from falconutil's work to the last tag.
fn publish(
    config: &PatchConfig,
    facts: &Facts,
    ready: &Ready<'_>,
    strategy: Strategy,
    plan: &mut Plan,
) {
    let target = ready.target;
    let repository = &target.repository;
    if strategy == Strategy::Full {
        plan.then(vec![Step::Assemble]);
    }
    // As late as that, so that nothing is left behind when there is nothing to push.
    if target.is_missing {
        plan.then(vec![Step::CreateRepository {
            repository: repository.clone(),
        }]);
    }
    plan.then(vec![Step::PushImage {
        repository: repository.clone(),
    }]);
    plan.then(vec![Step::ReadBack]);
    let keep = graft_to_keep(facts, repository, strategy);
    plan.then([Step::RecordProvenance].into_iter().chain(keep).collect());
    // The tags come last, so that a run that is cut off leaves none behind.
    let tags = std::iter::once(&config.target_tag).chain(config.other_tags());
    plan.then(tags.map(|tag| add_tag(target, tag)).collect());
    // A graft has no patched image in the engine, and pulls no source.
    if config.keep_local_images && strategy == Strategy::Full {
        plan.then(vec![Step::KeepImage {
            repository: repository.clone(),
            tag: config.target_tag.clone(),
        }]);
    }
}

/// The step that keeps a new graft for later runs; none where the cache has it already, or is not asked.
fn graft_to_keep(facts: &Facts, repository: &Repository, strategy: Strategy) -> Option<Step> {
    let cache = facts.graft_cache.as_ref();
    let cache = cache.filter(|cache| strategy == Strategy::Graft && cache.hit().is_none())?;
    Some(Step::KeepGraft {
        repository: repository.clone(),
        tag: cache.question.tag(),
    })
}

/// Plans the ECS task definition. It comes last, since a revision may be deployed as soon as it is registered.
fn hand_over(config: &PatchConfig, plan: &mut Plan) {
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
        former: target.named_by(tag),
    }
}
