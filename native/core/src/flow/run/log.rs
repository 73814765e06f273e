//! Logs decisions and their reasons.

use crate::domain::engine::GRAPH_DRIVER_LAYERS;
use crate::domain::provenance::known_records::{IgnoredRecord, KnownRecords};
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::{PatchConfig, Strategy};
use crate::flow::facts::graft_cache::CacheAnswer;
use crate::flow::facts::patch::Facts;
use crate::flow::plan::engine_access::unfiltered;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::native_program::native_program;
use crate::flow::plan::stages::Plan;
use crate::flow::plan::step::Step;
use crate::flow::plan::target_state::{Reason, TargetState, matching_record};
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::event::{PlannedStage, StepEvents};
use crate::report::problem::Problem;

/// Logs the reason why the target's image is kept or replaced.
pub(super) fn log_target_state(
    config: &PatchConfig,
    state: TargetState,
    facts: &Facts,
    events: &StepEvents,
) {
    let tag = &config.target_tag;
    match state {
        TargetState::Outdated(Reason::Unreadable) => warn_of_records(tag, facts, events),
        TargetState::Outdated(reason) => {
            if let Some(text) = reason.text() {
                events.news(format!("Target: {text}"));
            }
        }
        TargetState::UpToDate => events.news(format!("Target: up to date, by its provenance ({}), its layers and its configuration", describe_signer(config, facts))),
        TargetState::Adopted => events.warning(
            Code::FalconTargetAdopted,
            format!("The tag `{tag}` cannot be overwritten, and its image is the source patched with these options; it is kept, although no record names its sensor"),
            Some("A run that was stopped after its push leaves such an image; to be sure of the sensor, push another tag".to_owned()),
        ),
        TargetState::Unknown => {}
    }
}

/// Describes the signature of the record by which the target is up to date.
fn describe_signer(config: &PatchConfig, facts: &Facts) -> String {
    let record = matching_record(config, facts);
    let signer = record.and_then(|record| record.signer.as_deref());
    signer.map_or_else(|| "not signed".to_owned(), |key| format!("signed by {key}"))
}

/// The most records that are named one by one: all who can push can put any number beside an image.
const NAMED: usize = 5;

/// Logs the records that do not count, with a warning of those that nothing but an attack or a fault explains.
pub(super) fn log_ignored_records<R>(known: &KnownRecords<R>, events: &StepEvents) {
    let (suspicious, others): (Vec<_>, Vec<_>) = known
        .ignored
        .iter()
        .partition(|record| record.is_suspicious());
    if !others.is_empty() {
        events.note(format!("Records ignored: {}", named(&others)));
    }
    if !suspicious.is_empty() {
        let message = format!(
            "Records beside the image prove nothing and are ignored: {}",
            named(&suspicious)
        );
        let hint = "Find out who has put them there; all who can push to the repository can";
        events.warning(Code::FalconRecordIgnored, message, Some(hint.to_owned()));
    }
    if known.unread > 0 {
        let message = format!(
            "{} more artifacts beside the image may be records, and were not read",
            known.unread
        );
        let hint = "Delete artifacts of unknown origin from the repository";
        events.warning(Code::FalconRecordLimit, message, Some(hint.to_owned()));
    }
}

/// The first of some records, and the number of the others.
fn named(records: &[&IgnoredRecord]) -> String {
    first(records.iter().map(ToString::to_string), "; ")
}

/// The first of some words of others, and the number of those that follow.
fn first(texts: impl ExactSizeIterator<Item = String>, between: &str) -> String {
    let others = texts.len().saturating_sub(NAMED);
    let others = (others > 0).then(|| format!("and {others} more"));
    let named = texts.take(NAMED).chain(others);
    named.collect::<Vec<_>>().join(between)
}

/// Warns of records that cannot be read, which cost a patch that may not be needed.
fn warn_of_records(tag: &Tag, facts: &Facts, events: &StepEvents) {
    let target = facts.target.as_ref().ok();
    let current = target.and_then(|target| target.current.as_ref());
    // Keys that are unknown fail the run, with their own reason.
    let current = current.filter(|_| facts.keys.is_ok());
    if let Some(Err(problem)) = current.map(|current| &current.provenance) {
        let causes = std::iter::once(&problem.what).chain(&problem.why);
        let causes: Vec<&str> = causes.map(String::as_str).collect();
        events.warning(
            problem.code,
            format!(
                "The records of the image under `{tag}` cannot be read, so it counts as outdated: {}",
                causes.join(": ")
            ),
            problem.hint.clone(),
        );
    }
}

/// Logs the entry of the graft cache that is used, or the reason why there is none.
pub(super) fn log_graft_cache(facts: &Facts, events: &StepEvents) {
    let (Some(cache), Ok(target)) = (&facts.graft_cache, &facts.target) else {
        return;
    };
    let entry = target.repository.tagged(&cache.question.tag());
    match &cache.answer {
        CacheAnswer::Hit(hit) => {
            let digest = &hit.entry;
            let signed = hit.signer.as_ref().map(|key| format!(", signed by {key},"));
            let signed = signed.unwrap_or_default();
            events.news(format!("Graft cache: `{entry}` ({digest}){signed} has falconutil's answer, so neither falconutil nor an engine is needed"));
            warn_of_additions(&hit.graft.additions, events);
        }
        CacheAnswer::Missing { nearest } => {
            events.news(describe_missing(&entry, nearest.as_deref()));
        }
        // All who can push can have written it, with words of any length.
        CacheAnswer::Refused(fault) => {
            warn_of_entry(&entry, &Cause::of(fault).to_string(), events);
        }
        CacheAnswer::Unread(problem) => {
            let causes = std::iter::once(&problem.what).chain(&problem.why);
            let causes: Vec<&str> = causes.map(String::as_str).collect();
            warn_of_entry(&entry, &causes.join(": "), events);
        }
    }
}

/// Explains why an entry is missing, by the question of the nearest one.
fn describe_missing(entry: &str, nearest: Option<&[String]>) -> String {
    let missing = format!("Graft cache: no entry `{entry}`");
    match nearest {
        None | Some([]) => missing,
        Some(parts) => format!(
            "{missing}; the nearest entry differs in {}. If a value changes with every build, as a commit does, put it into a label: the cache ignores labels",
            first(parts.iter().map(|part| Cause::said(part).to_string()), ", ")
        ),
    }
}

fn warn_of_entry(entry: &str, why: &str, events: &StepEvents) {
    events.warning(
        Code::GraftEntryRefused,
        format!("The entry `{entry}` of the graft cache is not used: {why}"),
        Some("The graft asks falconutil instead, and replaces the entry where its tag can be overwritten; find out who wrote the entry if this task did not".to_owned()),
    );
}

/// Logs the obstacle that rules out `strategy: graft` before falconutil has run, or one to running it without its image.
pub(super) fn log_strategy(config: &PatchConfig, facts: &Facts, events: &StepEvents) {
    if let (Strategy::Graft, Ok(source)) = (config.strategy, &facts.source)
        && let Err(obstacle) = GraftSource::of(source)
    {
        events.news(obstacle.describe());
    } else if let Some(Err(obstacle)) = native_program(config, facts, config.strategy) {
        events.note(obstacle.describe());
    }
}

/// Warns of a result that engines with a store on a graph driver cannot pull. falconutil adds one layer.
pub(super) fn warn_of_layers(facts: &Facts, events: &StepEvents) {
    let Ok(source) = &facts.source else {
        return;
    };
    let layers = source.diff_ids.len() + 1;
    if layers > GRAPH_DRIVER_LAYERS {
        events.warning(
            Code::EngineTooManyLayers,
            format!("The patched image will have {layers} layers; an engine with the overlay2 image store can pull {GRAPH_DRIVER_LAYERS} at most"),
            Some("Combine layers where the source is built, if such an engine is to run the image".to_owned()),
        );
    }
}

/// Warns where the sensor's container gets the whole engine because its requests cannot be filtered.
pub(super) fn warn_of_access(config: &PatchConfig, facts: &Facts, events: &StepEvents) {
    if let Some(Problem {
        code,
        what,
        why,
        hint,
    }) = unfiltered(config, facts)
    {
        events.warning(code, format!("{what}: {}", why.join("; ")), hint);
    }
}

/// Warns of parts of the task definition that are used as they are although the sensor may not work with them.
pub(super) fn warn_of_task_definition(facts: &Facts, events: &StepEvents) {
    if let Some(Ok(definition)) = &facts.task_definition {
        for warning in &definition.warnings {
            events.warning(warning.code, &warning.message, None);
        }
    }
}

/// Warns of what falconutil added beyond its documentation.
pub(super) fn warn_of_additions(more: &[String], events: &StepEvents) {
    if more.is_empty() {
        return;
    }
    let message = format!(
        "falconutil added more to the image than is documented: {}",
        more.join(", ")
    );
    events.warning(Code::FalconutilChangedMore, message, None);
}

/// Returns the plan in words.
pub(super) fn forecast(plan: &Plan) -> Vec<PlannedStage> {
    let stages = plan.stages.iter();
    stages
        .map(|stage| PlannedStage {
            steps: stage.steps.iter().map(Step::to_string).collect(),
            only_if: stage.only_if,
        })
        .collect()
}
