//! The core's events as JavaScript objects.

use falcon_patch_core::{Event, StepStatus};
use napi_derive::napi;

use crate::number::number;
use crate::planned_stage::PlannedStage;

/// An event of a run.
#[napi(
    discriminant = "type",
    discriminant_case = "camelCase",
    object_from_js = false
)]
pub enum TaskEvent {
    /// A text that must be masked before anything else is printed.
    Secret { value: String },
    /// The steps that will run, stage by stage.
    Planned { stages: Vec<PlannedStage> },
    /// A step began.
    StepStarted { id: u32, title: String },
    /// Progress of a step, in bytes.
    Progress {
        id: u32,
        current: f64,
        total: Option<f64>,
    },
    /// A line that a program wrote; foreign text.
    Output { id: u32, line: String },
    /// A line for the log; news stand outside of the step's details.
    Note {
        id: Option<u32>,
        message: String,
        is_news: bool,
    },
    /// A problem that a person should act on.
    Warning {
        code: String,
        message: String,
        hint: Option<String>,
    },
    /// A step ended.
    StepFinished {
        id: u32,
        #[napi(ts_type = "'succeeded' | 'failed'")]
        status: String,
        duration_ms: f64,
    },
}

impl From<Event> for TaskEvent {
    fn from(event: Event) -> Self {
        match event {
            Event::Secret(secret) => Self::Secret {
                value: secret.reveal().to_owned(),
            },
            Event::Planned { stages } => Self::Planned {
                stages: stages.into_iter().map(Into::into).collect(),
            },
            Event::StepStarted { id, title } => Self::StepStarted { id, title },
            Event::Progress { id, current, total } => Self::Progress {
                id,
                current: number(current),
                total: total.map(number),
            },
            Event::Output { id, line } => Self::Output { id, line },
            Event::Note {
                id,
                message,
                is_news,
            } => Self::Note {
                id,
                message,
                is_news,
            },
            Event::Warning {
                code,
                message,
                hint,
            } => Self::Warning {
                code: code.as_str().to_owned(),
                message,
                hint,
            },
            Event::StepFinished {
                id,
                status,
                duration_ms,
            } => Self::StepFinished {
                id,
                status: match status {
                    StepStatus::Succeeded => "succeeded",
                    StepStatus::Failed => "failed",
                }
                .to_owned(),
                duration_ms: number(duration_ms),
            },
        }
    }
}
