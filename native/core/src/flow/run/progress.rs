use super::assemble::ready_image::ReadyImage;
use super::results::Results;
use super::step_outcome::StepOutcome;
use crate::domain::agent::Agent;
use crate::domain::builder::Builder;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::patch::Facts;
use crate::flow::outcome::{Outcome, RecordSigner};
use crate::flow::plan::decide::plan;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::stages::Plan;
use crate::flow::plan::target_state::{TargetState, matching_record};
use crate::report::problem::Problem;

/// Facts and results, which grow with each finished stage.
pub(super) struct Progress {
    pub(super) facts: Facts,
    pub(super) target_state: TargetState,
    pub(super) results: Results,
}

impl Progress {
    /// The progress before the first stage. An image that is kept takes the place of one that this run would push.
    pub(super) fn new(config: &PatchConfig, facts: Facts, target_state: TargetState) -> Self {
        let target = facts.target.as_ref().ok();
        let results = Results {
            ready: cached_image(&facts),
            image: target.and_then(|target| target_state.kept_image(target).cloned()),
            record: kept_record(config, &facts, target_state),
            ..Results::default()
        };
        Self {
            facts,
            target_state,
            results,
        }
    }

    /// Computes the stages that are left.
    pub(super) fn plan(&self, config: &PatchConfig) -> Result<Plan, Problem> {
        plan(config, &self.facts, self.target_state)
    }

    /// Returns the outcome of a run that ends here, without its effects.
    pub(super) fn outcome(&self, config: &PatchConfig, agent: &Agent) -> Result<Outcome, Problem> {
        let ready = Ready::of(config, &self.facts)?;
        let (source, sensor) = (ready.source, ready.sensor);
        let image = self.results.image.as_ref();
        let task_definition = self.results.task_definition.as_ref();
        Ok(Outcome {
            target: ready.target.repository.clone(),
            target_tag: config.target_tag.clone(),
            digest: image.map(|image| image.digest.clone()),
            source_digest: source.digest().cloned(),
            source_name: source.name.clone(),
            sensor_name: sensor.name.clone(),
            sensor_digest: sensor.arm64.clone(),
            sensor_version: sensor.version.clone(),
            record: self.results.record.clone(),
            changed: !self.target_state.keeps_image(),
            source_bytes: source.bytes,
            target_bytes: image.map(|image| image.layers_size()),
            task_definition: task_definition.map(|written| written.path.clone()),
            revision: task_definition.and_then(|written| written.revision.clone()),
            builder: builder_for_later_steps(config, &self.facts, agent),
            effects: Vec::new(),
            cleanup: Vec::new(),
        })
    }

    /// Adds the outcome of a step.
    pub(super) fn add(&mut self, outcome: StepOutcome) {
        let Self { facts, results, .. } = self;
        match outcome {
            StepOutcome::Pulled(digest) => {
                facts.in_engine.insert(digest);
            }
            StepOutcome::SourceIncomplete(problem) => {
                facts.probes.source_incomplete = Some(problem);
            }
            StepOutcome::SensorCopied => {
                if let Ok(sensor) = &mut facts.sensor {
                    sensor.copy = None;
                }
            }
            StepOutcome::EmulatorInstalled(handler) => {
                facts.handler = handler;
                facts.probes.emulator_installed = true;
                facts.probes.arm64_runs = None;
            }
            StepOutcome::Staged(staged) => {
                // The engine holds its images under other names.
                facts.in_engine.clear();
                facts.staged = Some(staged);
            }
            StepOutcome::BuilderCreated => {
                if let Some(Ok(builder)) = &mut facts.builder {
                    builder.is_made = true;
                }
            }
            StepOutcome::Arm64Runs(runs) => facts.probes.arm64_runs = Some(runs),
            // The first obstacle is the reason; the probe of a program that was not fetched only meets its absence.
            StepOutcome::Program(found) => {
                let program = &mut facts.probes.program;
                if !matches!(program, Some(Err(_))) {
                    *program = Some(found);
                }
            }
            StepOutcome::KnowsPlatform { arm64: true, knows } => {
                facts.probes.arm64_knows_platform = Some(knows);
            }
            StepOutcome::KnowsPlatform {
                arm64: false,
                knows,
            } => facts.probes.native_knows_platform = Some(knows),
            StepOutcome::Assembled(image) => results.ready = Some(*image),
            StepOutcome::Grafted(image) => {
                facts.probes.graft = Some(Ok(()));
                results.ready = Some(*image);
            }
            StepOutcome::Recorded(signer) => results.record = Some(RecordSigner::of(signer)),
            StepOutcome::NotGrafted(obstacle) => facts.probes.graft = Some(Err(obstacle)),
            StepOutcome::Pushed(pushed) => results.pushed = Some(pushed),
            StepOutcome::ReadBack(image) => results.image = Some(image),
            StepOutcome::TaskDefinition(written) => results.task_definition = Some(written),
            StepOutcome::Nothing => {}
        }
    }
}

/// The signer of the record that keeps the target's image; none where it is not kept, or has no record.
fn kept_record(config: &PatchConfig, facts: &Facts, state: TargetState) -> Option<RecordSigner> {
    let record = matching_record(config, facts).filter(|_| state.keeps_image())?;
    Some(RecordSigner::of(record.signer.clone()))
}

/// Returns the image that an entry of the graft cache makes; none without a usable entry.
fn cached_image(facts: &Facts) -> Option<ReadyImage> {
    let graft = &facts.cache_hit()?.graft;
    let source = facts.source.as_ref().ok()?;
    let source = GraftSource::of(source).ok()?;
    Some(ReadyImage::cached(
        source.image.clone(),
        source.repository.clone(),
        graft.assembled.clone(),
    ))
}

/// Returns the builder that later steps can use; none where none is there.
fn builder_for_later_steps(config: &PatchConfig, facts: &Facts, agent: &Agent) -> Option<Builder> {
    let name = config.builder.clone()?;
    let is_made = matches!(&facts.builder, Some(Ok(builder)) if builder.is_made);
    is_made.then(|| Builder::of_job(name, agent))
}

#[cfg(test)]
mod tests;
