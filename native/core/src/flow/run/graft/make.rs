//! A graft: falconutil patches a stub, and the source in the registry gets the same change.

use super::added_layer::added_layer;
use super::grafted::Grafted;
use super::ungrafted::Ungrafted;
use crate::domain::engine::EngineImage;
use crate::domain::graft::assemble::{Assembled, Change, assemble};
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::stub::stub;
use crate::domain::image::proof::{Evidence, prove};
use crate::domain::platform::Platform;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::step::Falconutil;
use crate::flow::run::context::Run;
use crate::flow::run::log::warn_of_additions;
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
                events.note(obstacle.describe());
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
    ) -> Result<Grafted, Ungrafted> {
        let source = GraftSource::of(ready.source)?;
        let stub = self.local_name("stub")?;
        let before = self.load_stub(&stub, &source).await?;
        let target = self.local_name("stub-patched")?;
        let end = self
            .run_falconutil(&stub, &target, falconutil, ready, events)
            .await?;
        if end.exit_code != 0 {
            let exit_code = end.exit_code;
            return Err(Obstacle::NotPatched { exit_code }.into());
        }
        let after = self.services.engine()?.image(&target).await?;
        let after = after.ok_or(Obstacle::NoImage)?;
        let layer = added_layer(&before, &after)?;
        let spool = self.spool()?;
        let delta = self
            .packed_layer(ready.target, &target, layer, &spool, events)
            .await?;
        let change = Change::between(&before, &after);
        let assembled = assemble(source.image, &change, &delta);
        prove_graft(ready, &assembled, events)?;
        Ok(Grafted {
            source: source.image.clone(),
            source_repository: source.repository.clone(),
            assembled,
            spool,
        })
    }

    /// Loads the stub into the engine.
    async fn load_stub(
        &self,
        name: &str,
        source: &GraftSource<'_>,
    ) -> Result<EngineImage, Ungrafted> {
        let archive = stub(&source.image.config, name);
        let archive = archive.map_err(|error| Obstacle::Engine(error.to_string()))?;
        let engine = self.services.engine()?;
        engine.load(archive).await?;
        let loaded = engine.image(name).await?;
        Ok(
            loaded
                .ok_or_else(|| Obstacle::Engine("it has no stub after loading one".to_owned()))?,
        )
    }
}

/// Compares what would be pushed with the source: falconutil may do to the stub only what its documentation says.
fn prove_graft(
    ready: &Ready<'_>,
    assembled: &Assembled,
    events: &StepEvents,
) -> Result<(), Obstacle> {
    let evidence = Evidence {
        platform: &Platform::linux_arm64(),
        diff_ids: &assembled.diff_ids(),
        config: &assembled.config["config"],
    };
    match prove(ready.source.evidence(), evidence, &ready.options) {
        Ok(more) => {
            warn_of_additions(&more, events);
            Ok(())
        }
        Err(error) => {
            let problem = Problem::from(error);
            let why = problem.why.first().unwrap_or(&problem.what);
            Err(Obstacle::Unproven(why.clone()))
        }
    }
}
