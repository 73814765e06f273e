//! Carries a plan out, stage after stage.

use tokio::sync::SetOnce;

use super::context::Run;
use super::log::forecast;
use super::progress::Progress;
use super::results::Results;
use super::step_log::StepFailure;
use super::step_outcome::StepOutcome;
use crate::flow::outcome::Outcome;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::stages::Stage;
use crate::report::event::Event;

impl Run {
    /// Runs the stages of the plan, and plans again after each stage that probes.
    pub(super) async fn carry_out(
        &self,
        mut progress: Box<Progress>,
    ) -> Result<Outcome, StepFailure> {
        'replan: loop {
            let plan = progress.plan(&self.config)?;
            if !plan.stages.is_empty() {
                let stages = forecast(&plan);
                self.events.send(Event::Planned { stages });
            }
            for stage in &plan.stages {
                let ready = Ready::of(&self.config, &progress.facts)?;
                let was_known = progress.facts.probes.source_incomplete.is_some();
                for outcome in self.run_stage(stage, &ready, &progress.results).await? {
                    progress.add(outcome);
                }
                // A source without its content leaves a graft, which is another plan.
                let is_known = progress.facts.probes.source_incomplete.is_some();
                if stage.probes || was_known != is_known {
                    continue 'replan;
                }
            }
            return Ok(progress.outcome(&self.config, self.services.agent())?);
        }
    }

    /// Runs the steps of a stage side by side, each as soon as those that it needs are done; the first failure stops the
    /// others.
    async fn run_stage(
        &self,
        stage: &Stage,
        ready: &Ready<'_>,
        results: &Results,
    ) -> Result<Vec<StepOutcome>, StepFailure> {
        let done: Vec<SetOnce<()>> = stage.steps.iter().map(|_| SetOnce::new()).collect();
        let steps = stage.steps.iter().zip(&done).map(|(step, done_now)| {
            let others = stage.steps.iter().zip(&done);
            let needed: Vec<&SetOnce<()>> = others
                .filter_map(|(other, done)| step.needs(other).then_some(done))
                .collect();
            async move {
                for done in needed {
                    done.wait().await;
                }
                let act = |events| self.execute(step, ready, results, events);
                let outcome = self.steps.run(step.to_string(), act).await?;
                let _ = done_now.set(());
                Ok(outcome)
            }
        });
        futures_util::future::try_join_all(steps).await
    }
}
