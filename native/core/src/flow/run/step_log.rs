//! Reports the steps of a run to the log.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

use crate::flow::effect::Effect;
use crate::flow::outcome::{Ending, Failure};
use crate::report::event::{Event, Events, StepEvents, StepStatus};
use crate::report::panic::guarded;
use crate::report::problem::Problem;

/// Numbers the steps of one run, which may run side by side, and reports the beginning and the end of each.
pub(super) struct StepLog {
    events: Events,
    last: AtomicU32,
}

/// A problem, with the step in which it occurred.
pub(super) struct StepFailure {
    pub(super) problem: Problem,
    /// The title of the step; none between two steps.
    pub(super) step: Option<String>,
}

impl From<Problem> for StepFailure {
    fn from(problem: Problem) -> Self {
        Self {
            problem,
            step: None,
        }
    }
}

impl StepFailure {
    /// The end of a run that failed, with what it has changed and what it could not clean up.
    pub(super) fn ending(self, effects: Vec<Effect>, cleanup: Vec<String>) -> Ending {
        Ending::Failed(Box::new(Failure {
            problem: self.problem,
            step: self.step,
            effects,
            cleanup,
        }))
    }
}

impl StepLog {
    pub(super) fn new(events: Events) -> Self {
        Self {
            events,
            last: AtomicU32::new(0),
        }
    }

    /// Runs a step and reports its beginning and its end.
    pub(super) async fn run<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        title: impl Into<String>,
        act: impl FnOnce(StepEvents) -> F,
    ) -> Result<T, StepFailure> {
        let title = title.into();
        let id = self.last.fetch_add(1, Ordering::Relaxed) + 1;
        let begun = Instant::now();
        self.events.send(Event::StepStarted {
            id,
            title: title.clone(),
        });
        let result = guarded(act(self.events.of_step(id))).await;
        let status = if result.is_ok() {
            StepStatus::Succeeded
        } else {
            StepStatus::Failed
        };
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.events.send(Event::StepFinished {
            id,
            status,
            duration_ms,
        });
        result.map_err(|problem| StepFailure {
            problem,
            step: Some(title),
        })
    }
}
