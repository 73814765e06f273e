//! A graft: falconutil patches a stub, and the source in the registry gets the same change.

use super::ungrafted::Ungrafted;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::stub::stub;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::step::Falconutil;
use crate::flow::run::assemble::added_files::Pair;
use crate::flow::run::assemble::ready_image::{ReadyImage, SourceLayers};
use crate::flow::run::context::Run;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Grafts as far as nothing leaves the agent. An obstacle is logged and does not fail the step.
    pub(in crate::flow::run) async fn graft(
        &self,
        falconutil: &Falconutil,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let grafted = self.try_graft(falconutil, ready, events);
        match grafted.await {
            Ok(grafted) => Ok(StepOutcome::Grafted(Box::new(grafted))),
            Err(Ungrafted::Obstacle(obstacle)) => {
                events.news(obstacle.describe());
                Ok(StepOutcome::NotGrafted(obstacle))
            }
            Err(Ungrafted::Problem(problem)) => Err(problem),
        }
    }

    async fn try_graft(
        &self,
        falconutil: &Falconutil,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<ReadyImage, Ungrafted> {
        let source = GraftSource::of(ready.source)?;
        let stub = self.local_name("stub")?;
        self.load_stub(&stub, &source).await?;
        let target = self.local_name("stub-patched")?;
        let end = self
            .run_falconutil(&stub, &target, falconutil, ready, events)
            .await?;
        if end.exit_code != 0 {
            let exit_code = end.exit_code;
            return Err(Obstacle::NotPatched { exit_code }.into());
        }
        let pair = Pair {
            before: &stub,
            after: &target,
        };
        let layers = SourceLayers::Repository(source.repository.clone());
        let image = self
            .assemble_on(source.image.clone(), layers, pair, ready, events)
            .await?;
        Ok(image)
    }

    /// Loads the stub into the engine.
    async fn load_stub(&self, name: &str, source: &GraftSource<'_>) -> Result<(), Ungrafted> {
        let archive = stub(&source.image.config, name);
        let archive = archive.map_err(|error| Obstacle::Engine(error.to_string()))?;
        Ok(self.services.engine()?.load(archive).await?)
    }
}
