//! One run of the task, as JavaScript starts and stops it.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use anyhow::{Context, Result};
use falcon_patch_core::inputs::{self, Inputs};
use falcon_patch_core::{Agent, Event, Events, silence_panics};
use napi::bindgen_prelude::{FnArgs, Function};
use napi::threadsafe_function::ThreadsafeFunction;
use napi_derive::napi;
use tokio::sync::mpsc::{self, UnboundedReceiver};
use tokio_util::sync::CancellationToken;

use crate::context::{AgentContext, AwsContext};
use crate::ending::Ending;
use crate::events::TaskEvent;

type Callback<'env> = Function<'env, FnArgs<(TaskEvent,)>, ()>;
type OnEvent = ThreadsafeFunction<Event, (), FnArgs<(TaskEvent,)>, napi::Status, false, true>;

/// One run of the task, to be run once.
#[napi]
pub struct PatchRun {
    ready: Mutex<Option<(Inputs, Agent)>>,
    on_event: OnEvent,
    cancel: CancellationToken,
}

#[napi]
impl PatchRun {
    /// Prepares a run. `texts` has a text for every input of task.json, empty where nothing was given; `otherInputs`
    /// are names of inputs that the step sets beside them, in upper case. `falconConnection` has the values of the service
    /// connection of that input, by the core's names. `onEvent` is called for each event, in order.
    #[napi(constructor)]
    pub fn new(
        texts: HashMap<String, String>,
        other_inputs: Vec<String>,
        aws: AwsContext,
        falcon_connection: Option<HashMap<String, String>>,
        agent: AgentContext,
        #[napi(ts_arg_type = "(event: TaskEvent) => void")] on_event: Callback<'_>,
    ) -> Result<Self> {
        let falcon_connection = falcon_connection
            .map(inputs::from_record)
            .transpose()
            .context("The shim's connection to CrowdStrike is not the addon's")?;
        let inputs = Inputs::from_record(texts, other_inputs, aws.try_into()?, falcon_connection)
            .context("The shim's inputs are not those of the addon")?;
        // A weak function lets Node end by itself when nothing else is left to do.
        let on_event = on_event
            .build_threadsafe_function::<Event>()
            .callee_handled::<false>()
            .weak::<true>()
            .build_callback(|context| Ok(FnArgs::from((TaskEvent::from(context.value),))))
            .context("Cannot prepare the callback for events")?;
        Ok(Self {
            ready: Mutex::new(Some((inputs, agent.into()))),
            on_event,
            cancel: CancellationToken::new(),
        })
    }

    /// Runs to the end, which is data even for a failure. A rejection is a bug of this task.
    ///
    /// Every event has been handed over when the promise settles.
    #[napi]
    pub async fn run(&self) -> Result<Ending> {
        let ready = self
            .ready
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let (inputs, agent) = ready.context("This run was started before")?;
        silence_panics();
        let (send, receive) = mpsc::unbounded_channel();
        let forward = send.clone();
        let events = Events::new(move |event| {
            // The receiver is gone only when the run is over, and then no one listens.
            let _ = forward.send(Some(event));
        });
        let run = async {
            let ending = falcon_patch_core::run(&inputs, agent, events, self.cancel.clone()).await;
            let _ = send.send(None);
            ending
        };
        let (ending, handed_over) = tokio::join!(run, self.hand_over(receive));
        handed_over.context("Cannot hand an event over")?;
        Ok(ending.into())
    }

    /// Stops the run, which then cleans up and ends as cancelled.
    #[napi]
    pub fn cancel(&self) {
        self.cancel.cancel();
    }
}

impl PatchRun {
    /// Hands events over until `None` ends them.
    async fn hand_over(&self, mut events: UnboundedReceiver<Option<Event>>) -> napi::Result<()> {
        while let Some(Some(event)) = events.recv().await {
            self.on_event.call_async(event).await?;
        }
        Ok(())
    }
}
