//! Runs each step, one arm each.

use super::context::Run;
use super::results::Results;
use super::step_outcome::StepOutcome;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::step::Step;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn execute(
        &self,
        step: &Step,
        ready: &Ready<'_>,
        results: &Results,
        events: StepEvents,
    ) -> Result<StepOutcome, Problem> {
        match step {
            Step::Pull(pull) => self.pull(pull, ready, &events).await,
            Step::CopySensor(copy) => self.copy_sensor(copy, &events).await,
            Step::FetchFalconutil(program) => self.fetch_falconutil(program, &events).await,
            Step::InstallEmulator(image) => self.install_emulator(image, &events).await,
            // By far the largest future of all steps, and asked for seldom.
            Step::Stage(image) => Box::pin(self.stage(image, ready, &events)).await,
            Step::CreateBuilder(name) => self.create_builder(name, &events).await,
            Step::ProbeArm64 { image } => self.probe_arm64(image, &events).await,
            Step::ProbeFalconutil(falconutil) => self.probe_falconutil(falconutil, &events).await,
            Step::Patch(falconutil) => self.patch(falconutil, ready, &events).await,
            Step::Graft(falconutil) => self.graft(falconutil, ready, &events).await,
            Step::Assemble => self.assemble(ready, &events).await,
            Step::PushImage { repository } => {
                self.push_image(repository, results.ready()?, &events).await
            }
            Step::CreateRepository { repository } => {
                self.create_repository(repository, &events).await
            }
            Step::ReadBack => {
                let source = &results.ready()?.source;
                self.read_back(&results.pushed()?.digest, source, ready)
                    .await
            }
            Step::RecordProvenance => {
                let is_new = results.pushed()?.is_new;
                self.record_provenance(results.image()?, is_new, ready, &events)
                    .await
            }
            Step::KeepGraft { repository, tag } => {
                self.keep_graft(repository, tag, results.ready()?, ready, &events)
                    .await
            }
            Step::AddTag {
                repository,
                tag,
                former,
            } => {
                let image = results.image()?;
                self.add_tag(repository, tag, former.as_ref(), image).await
            }
            Step::KeepImage { repository, tag } => {
                self.keep_image(repository, tag, &results.pushed()?.digest, &events)
                    .await
            }
            Step::WriteTaskDefinition => {
                self.write_task_definition(results.image()?, ready, &events)
                    .await
            }
            Step::RegisterTaskDefinition => {
                let written = results.task_definition()?;
                let target = &ready.target.repository;
                self.register_task_definition(written, target, &events)
                    .await
            }
        }
    }
}
