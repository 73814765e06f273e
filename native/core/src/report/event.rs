//! Messages of a run while it is under way.

use std::sync::Arc;

use super::code::Code;
use super::secret::Secret;

/// Something that happened; never formatted text, never a secret but for [`Event::Secret`].
#[derive(Clone, Debug)]
pub enum Event {
    /// A text that must be masked from here on; sent before anything that could hold it.
    Secret(Secret),
    /// The steps that will run, decided anew after each probe.
    Planned {
        /// The stages, in order.
        stages: Vec<PlannedStage>,
    },
    /// A step began.
    StepStarted {
        /// Number of the step, unique within the run.
        id: u32,
        /// One line for people.
        title: String,
    },
    /// A step has come further.
    Progress {
        /// The step.
        id: u32,
        /// Bytes done.
        current: u64,
        /// Bytes to do, as far as known.
        total: Option<u64>,
    },
    /// A line that a program or a service wrote; foreign text.
    Output {
        /// The step.
        id: u32,
        /// The line without its end.
        line: String,
    },
    /// Something worth a line of the log.
    Note {
        /// The step; none between steps.
        id: Option<u32>,
        /// One line for people.
        message: String,
        /// True for a line that nobody should have to unfold.
        is_news: bool,
    },
    /// Something that a person should act on.
    Warning {
        /// The code, with its heading in docs/troubleshooting.md.
        code: Code,
        /// Message that says what happened.
        message: String,
        /// Advice on what to do.
        hint: Option<String>,
    },
    /// A step ended.
    StepFinished {
        /// The step.
        id: u32,
        /// Status that it ended with.
        status: StepStatus,
        /// Time that it took, in milliseconds.
        duration_ms: u64,
    },
}

/// Status that a step ended with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// It did what it was there for.
    Succeeded,
    /// It failed, and with it the run.
    Failed,
}

/// Receiver of events; cheap to clone.
#[derive(Clone)]
pub struct Events(Arc<dyn Fn(Event) + Send + Sync>);

impl Events {
    /// Sends every event to `receive`, which must not block.
    pub fn new(receive: impl Fn(Event) + Send + Sync + 'static) -> Self {
        Self(Arc::new(receive))
    }

    /// Drops every event; for callers that only want the result.
    #[must_use]
    pub fn silent() -> Self {
        Self::new(|_| ())
    }

    /// Tells that something happened.
    pub fn send(&self, event: Event) {
        (self.0)(event);
    }

    /// Has `secret` masked from here on.
    pub fn mask(&self, secret: &Secret) {
        self.send(Event::Secret(secret.clone()));
    }

    /// The same receiver, for one step.
    #[must_use]
    pub fn of_step(&self, id: u32) -> StepEvents {
        StepEvents {
            events: self.clone(),
            id,
        }
    }
}

/// Sender for the progress of a step.
#[derive(Clone)]
pub struct StepEvents {
    events: Events,
    id: u32,
}

impl StepEvents {
    /// The same step for a program whose lines are of no interest: nothing it writes is passed on.
    #[must_use]
    pub fn quiet(&self) -> Self {
        Events::silent().of_step(self.id)
    }

    /// Tells how many bytes are done.
    pub fn progress(&self, current: u64, total: Option<u64>) {
        let id = self.id;
        self.events.send(Event::Progress { id, current, total });
    }

    /// Passes on a line of a program.
    pub fn output(&self, line: impl Into<String>) {
        let line = line.into();
        self.events.send(Event::Output { id: self.id, line });
    }

    /// Adds a line to the step's details in the log.
    pub fn note(&self, message: impl Into<String>) {
        self.send_note(message.into(), false);
    }

    /// Adds a line that the log shows below the step, outside of its details.
    pub fn news(&self, message: impl Into<String>) {
        self.send_note(message.into(), true);
    }

    fn send_note(&self, message: String, is_news: bool) {
        self.events.send(Event::Note {
            id: Some(self.id),
            message,
            is_news,
        });
    }

    /// Warns of something that a person should act on.
    pub fn warning(&self, code: Code, message: impl Into<String>, hint: Option<String>) {
        self.events.send(Event::Warning {
            code,
            message: message.into(),
            hint,
        });
    }

    /// Returns the receiver of events that belong to no step.
    #[must_use]
    pub fn events(&self) -> &Events {
        &self.events
    }
}

/// A stage of a plan, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedStage {
    /// Titles of the steps that would run side by side.
    pub steps: Vec<String>,
    /// The condition under which they would, where a probe decides it.
    pub only_if: Option<&'static str>,
}
