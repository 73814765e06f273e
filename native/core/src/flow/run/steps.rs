//! Tells of the steps of a run.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::report::event::{Event, Events, StepEvents, StepStatus};
use crate::report::problem::Problem;

/// The steps of one run, which may run side by side.
pub(super) struct Steps {
    events: Events,
    told: Mutex<Told>,
}

#[derive(Default)]
struct Told {
    last: u32,
    failed: Option<String>,
}

impl Steps {
    pub(super) fn new(events: Events) -> Self {
        Self {
            events,
            told: Mutex::default(),
        }
    }

    /// Tells of a step's begin and end, and remembers which one failed.
    pub(super) async fn run<T, F: Future<Output = Result<T, Problem>>>(
        &self,
        title: impl Into<String>,
        act: impl FnOnce(StepEvents) -> F,
    ) -> Result<T, Problem> {
        let title = title.into();
        let id = self.told(|told| {
            told.last += 1;
            told.last
        });
        let begun = Instant::now();
        self.events.send(Event::StepStarted {
            id,
            title: title.clone(),
        });
        let result = act(self.events.of_step(id)).await;
        let status = if result.is_ok() {
            StepStatus::Succeeded
        } else {
            self.told(|told| told.failed = Some(title));
            StepStatus::Failed
        };
        let duration_ms = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.events.send(Event::StepFinished {
            id,
            status,
            duration_ms,
        });
        result
    }

    /// The title of the step that failed, if one did.
    pub(super) fn failed(&self) -> Option<String> {
        self.told(|told| told.failed.clone())
    }

    fn told<T>(&self, with: impl FnOnce(&mut Told) -> T) -> T {
        with(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
