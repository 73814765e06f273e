//! The buildx builder for the later steps of the job.

use super::cleanup::Undo;
use super::drive::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::buildx::Buildx;
use crate::domain::builder::{Builder, BuilderName};
use crate::flow::effect::Effect;
use crate::flow::facts::patch::Facts;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Makes the builder and looks at it. `BuildKit` is started, and its image pulled, by whoever uses it first.
    pub(super) async fn create_builder(
        &self,
        name: &BuilderName,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let builder = Builder::of_job(name.clone(), self.services.agent());
        let buildx = Buildx::find(|name| std::env::var_os(name))?;
        for thing in builder.things(&self.id) {
            self.record(thing)?;
        }
        self.cleanup.push(Undo::Folder(builder.folder.clone()));
        let endpoint = self.services.engine()?.address();
        buildx
            .create(&builder, &Builder::node(&self.id), &endpoint)
            .await?;
        for line in buildx.inspect(&builder).await? {
            events.output(&line);
        }
        Ok(StepOutcome::BuilderMade)
    }

    /// What later steps are told of the builder; nothing where there is none.
    pub(super) fn builder_for_later_steps(&self, facts: &Facts) -> Option<Builder> {
        let name = self.config.builder.clone()?;
        let is_made = matches!(&facts.builder, Some(Ok(builder)) if builder.is_made);
        is_made.then(|| Builder::of_job(name, self.services.agent()))
    }

    /// Lets the builder stay until the end of the job, since the run has succeeded.
    pub(super) fn keep_builder(&self) {
        let Some(name) = self.config.builder.clone() else {
            return;
        };
        let Builder { name, folder } = Builder::of_job(name, self.services.agent());
        if self.cleanup.keep(&Undo::Folder(folder)) {
            self.state(|state| state.effects.push(Effect::BuilderMade { name }));
        }
    }
}
