//! A graft: falconutil patches a stub, and the source in the registry gets the same change.

use std::path::PathBuf;

use super::ungrafted::Ungrafted;
use crate::domain::falcon::program::ProgramObstacle;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::stub::stub;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::step::Falconutil;
use crate::flow::run::assemble::added_files::Pair;
use crate::flow::run::assemble::ready_image::{ReadyImage, SourceLayers};
use crate::flow::run::context::Run;
use crate::flow::run::native_program::NotUsed;
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
        let file = match self.file_to_mount(falconutil).await {
            Ok(file) => file,
            Err(not_used) => return not_used.outcome(events),
        };
        let grafted = self.try_graft(falconutil, file, ready, events);
        match grafted.await {
            Ok(grafted) => Ok(StepOutcome::Grafted(Box::new(grafted))),
            // Its own image may have what the program lacks.
            Err(Ungrafted::Obstacle(Obstacle::NotPatched { exit_code }))
                if falconutil.program.is_some() =>
            {
                NotUsed::from(ProgramObstacle::Ended { exit_code }).outcome(events)
            }
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
        file: Option<PathBuf>,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<ReadyImage, Ungrafted> {
        let source = GraftSource::of(ready.source)?;
        let stub = self.local_name("stub")?;
        self.load_stub(&stub, &source).await?;
        let target = self.local_name("stub-patched")?;
        let end = self
            .run_falconutil(&stub, &target, falconutil, file, ready, events)
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
