//! Logs what changes while a deployment is under way, a line each.

use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::ecs::deployment::detail::Detail;
use crate::domain::ecs::deployment::service::Service;
use crate::report::event::StepEvents;

/// The time without a change after which a line shows that the step still waits.
const QUIET: Duration = Duration::from_mins(5);

/// Lines that were logged, so that none is logged twice.
pub(super) struct WatchLog<'a> {
    events: &'a StepEvents,
    known_events: HashSet<String>,
    last: Vec<String>,
    once: HashSet<&'static str>,
    begun: Instant,
    logged_at: Instant,
    /// The number of lines so far.
    logged: u32,
}

impl<'a> WatchLog<'a> {
    /// Events of `before`, the service before the deployment, are not logged.
    pub(super) fn new(events: &'a StepEvents, before: &Service) -> Self {
        let known = before.events.iter().map(|event| event.id.clone());
        Self {
            events,
            known_events: known.collect(),
            last: Vec::new(),
            once: HashSet::new(),
            begun: Instant::now(),
            logged_at: Instant::now(),
            logged: 0,
        }
    }

    /// Logs new events of the service, and the state of the deployment where it has changed.
    pub(super) fn log(&mut self, deployment: &str, service: &Service, detail: Option<&Detail>) {
        if let Some(own) = service.deployment(deployment) {
            let count = |tasks: i32| u64::try_from(tasks).unwrap_or_default();
            self.events
                .progress(count(own.running), Some(count(own.desired)));
        }
        let before = self.logged;
        // ECS lists the newest first.
        for event in service.events.iter().rev() {
            if self.known_events.insert(event.id.clone()) {
                self.note(format!("ECS: {}", event.message));
            }
        }
        let lines = lines(deployment, service, detail);
        for line in &lines {
            if !self.last.contains(line) {
                self.note(line);
            }
        }
        if self.logged == before && self.logged_at.elapsed() >= QUIET {
            let minutes = self.begun.elapsed().as_secs() / 60;
            self.note(format!(
                "No change; {minutes} min so far: {}",
                lines.join(", ")
            ));
        }
        self.last = lines;
    }

    fn note(&mut self, line: impl Into<String>) {
        self.events.note(line);
        self.logged += 1;
        self.logged_at = Instant::now();
    }

    /// Logs a line once; `topic` identifies it.
    pub(super) fn log_once(&mut self, topic: &'static str, line: impl Into<String>) {
        if self.once.insert(topic) {
            self.note(line);
        }
    }

    /// Logs a line of a topic anew when it occurs next.
    pub(super) fn forget(&mut self, topic: &str) {
        self.once.remove(topic);
    }
}

fn lines(deployment: &str, service: &Service, detail: Option<&Detail>) -> Vec<String> {
    let counts = service.deployment(deployment).map(|own| {
        let failed = match own.failed {
            0 => String::new(),
            failed => format!(", {failed} failed"),
        };
        format!(
            "{} of {} tasks run, {} pending{failed}",
            own.running, own.desired, own.pending
        )
    });
    let stage = detail.and_then(|detail| detail.stage.as_ref());
    let stage = stage.map(|stage| format!("stage {stage}"));
    let pauses = detail.into_iter().flat_map(|detail| &detail.pauses);
    let pauses = pauses.map(|id| {
        format!("the pause hook {id} waits for a person, who continues with `aws ecs continue-service-deployment`")
    });
    counts.into_iter().chain(stage).chain(pauses).collect()
}
