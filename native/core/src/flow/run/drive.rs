//! Runs the task from its inputs to its one result, and watches for cancellation.

use tokio_util::sync::CancellationToken;

use super::context::Run;
use super::deploy;
use super::log::forecast;
use super::progress::Progress;
use super::session::Session;
use super::step_log::StepFailure;
use super::verify;
use crate::domain::agent::Agent;
use crate::flow::config::patch::PatchConfig;
use crate::flow::config::read::Config;
use crate::flow::inputs::Inputs;
use crate::flow::outcome::{Ending, Failure};
use crate::report::event::{Event, Events};
use crate::report::panic::guarded;

/// Runs what the inputs ask for. Every failure is part of the result.
pub async fn run(
    inputs: &Inputs,
    agent: Agent,
    events: Events,
    cancel: CancellationToken,
) -> Ending {
    for (code, message) in inputs.slips() {
        let hint = None;
        events.send(Event::Warning {
            code,
            message,
            hint,
        });
    }
    let ended = guarded(async {
        Ok(match Config::from_inputs(inputs)? {
            Config::Patch(config) => patch(*config, agent, events, cancel).await,
            Config::Deploy(config) => {
                Box::pin(deploy::drive::run(*config, agent, events, cancel)).await?
            }
            Config::Verify(config) => Box::pin(verify::run(&config, agent, events, cancel)).await,
        })
    });
    ended.await.unwrap_or_else(failed)
}

async fn patch(
    config: PatchConfig,
    agent: Agent,
    events: Events,
    cancel: CancellationToken,
) -> Ending {
    let session = Session::new(config, agent, events);
    let Some(looked) = cancel.run_until_cancelled(Box::pin(session.look())).await else {
        return Ending::Cancelled {
            effects: Vec::new(),
            cleanup: Vec::new(),
        };
    };
    match looked.and_then(|progress| begin(session, progress)) {
        Ok(Begun::Ended(ending)) => ending,
        Ok(Begun::Run(run, progress)) => {
            // A panic between two steps must not pass the cleanup by.
            let work = guarded(run.carry_out(progress));
            let ended = cancel.run_until_cancelled(work).await;
            run.end(ended).await
        }
        Err(failure) => failed(failure),
    }
}

/// A run that has looked.
enum Begun {
    Ended(Ending),
    Run(Box<Run>, Box<Progress>),
}

fn begin(session: Session, progress: Box<Progress>) -> Result<Begun, StepFailure> {
    let plan = progress.plan(&session.config)?;
    let outcome = || progress.outcome(&session.config, session.services.agent());
    Ok(if session.config.only_plan {
        let outcome = Box::new(outcome()?);
        Begun::Ended(Ending::Planned(outcome, forecast(&plan)))
    } else if plan.stages.is_empty() {
        Begun::Ended(Ending::Done(Box::new(outcome()?)))
    } else {
        let run = Run::open(session)?;
        if plan.uses_engine() {
            run.expect_engine()?;
        }
        Begun::Run(Box::new(run), progress)
    })
}

/// Returns a failure before anything was changed.
fn failed(failure: StepFailure) -> Ending {
    Ending::Failed(Box::new(Failure {
        problem: failure.problem,
        step: failure.step,
        effects: Vec::new(),
        cleanup: Vec::new(),
    }))
}
