//! The Node native addon: forwards to the core and translates its types.

#![expect(
    clippy::needless_pass_by_value,
    reason = "napi hands functions over by value"
)]

mod ending;
mod events;
mod inputs;

use std::sync::{Mutex, PoisonError};

use falcon_patch_core::inputs::Inputs;
use falcon_patch_core::{Agent, Code, Event, Events};
use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ending::Ending;
use crate::events::TaskEvent;
use crate::inputs::{AgentContext, AwsContext, TaskInputs};

/// The version of the addon, which equals that of the task.
#[napi]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Every code that a failure or a warning can carry, for the test that holds the documentation to them.
#[napi]
#[must_use]
pub fn codes() -> Vec<String> {
    Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect()
}

type OnEvent = ThreadsafeFunction<Event, (), FnArgs<(TaskEvent,)>, napi::Status, false, true>;

/// One run of the task: made, run once, and stopped if need be.
#[napi]
pub struct PatchRun {
    ready: Mutex<Option<(Inputs, Agent)>>,
    on_event: OnEvent,
    cancel: CancellationToken,
}

#[napi]
impl PatchRun {
    /// Takes the inputs and what stands behind them; `onEvent` is called for each event, in order.
    #[napi(constructor)]
    pub fn new(
        inputs: TaskInputs,
        aws: AwsContext,
        agent: AgentContext,
        #[napi(ts_arg_type = "(event: TaskEvent) => void")] on_event: Function<
            '_,
            FnArgs<(TaskEvent,)>,
            (),
        >,
    ) -> napi::Result<Self> {
        // A weak function lets Node end by itself when nothing else is left to do.
        let on_event = on_event
            .build_threadsafe_function::<Event>()
            .callee_handled::<false>()
            .weak::<true>()
            .build_callback(|context| Ok(FnArgs::from((TaskEvent::from(context.value),))))?;
        Ok(Self {
            ready: Mutex::new(Some((inputs.with(aws), agent.into()))),
            on_event,
            cancel: CancellationToken::new(),
        })
    }

    /// Runs to the end, which is data however bad it is; a rejection is a bug of this task.
    ///
    /// Every event has been handed over when the promise settles.
    #[napi]
    pub async fn run(&self) -> napi::Result<Ending> {
        let ready = self
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let (inputs, agent) =
            ready.ok_or_else(|| napi::Error::from_reason("this run has been started already"))?;
        let (send, mut receive) = mpsc::unbounded_channel();
        let forward = send.clone();
        let events = Events::new(move |event| {
            // The receiver is gone only when the run is over, and then nobody listens.
            let _ = forward.send(Some(event));
        });
        let run = async {
            let ending = falcon_patch_core::run(&inputs, agent, events, self.cancel.clone()).await;
            let _ = send.send(None);
            ending
        };
        let hand_over = async {
            while let Some(Some(event)) = receive.recv().await {
                self.on_event.call_async(event).await?;
            }
            napi::Result::Ok(())
        };
        let (ending, handed_over) = tokio::join!(run, hand_over);
        handed_over?;
        Ok(ending.into())
    }

    /// Has the run stop, clean up and end as cancelled.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

/// What a sweep did.
#[napi(object, object_from_js = false)]
pub struct SweepReport {
    /// What was taken away, a phrase each.
    pub removed: Vec<String>,
    /// What could not be, a sentence each.
    pub failed: Vec<String>,
}

/// Takes away what the runs of this job left for its end, and what earlier jobs of this agent left behind.
#[napi]
pub async fn sweep(agent: AgentContext) -> napi::Result<SweepReport> {
    let swept = falcon_patch_core::sweep(&agent.into()).await;
    Ok(SweepReport {
        removed: swept.removed,
        failed: swept.failed,
    })
}
