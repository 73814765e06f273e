//! Verifies an image: one look, without engine, journal or folder, so there is nothing to clean up.

use tokio_util::sync::CancellationToken;

use super::step_log::{StepFailure, StepLog};
use crate::adapters::aws::account::Aws;
use crate::domain::agent::Agent;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::look::verify;
use crate::flow::outcome::{Ending, Failure, Verified};
use crate::flow::services::Services;
use crate::flow::verify::verify;
use crate::report::code::Code;
use crate::report::event::{Events, StepEvents};
use crate::report::problem::Problem;

/// Verifies that the image is patched.
pub(super) async fn run(
    config: &VerifyConfig,
    agent: Agent,
    events: Events,
    cancel: CancellationToken,
) -> Ending {
    let services = Services::new(agent, config.aws.clone(), None, events.clone());
    let steps = StepLog::new(events);
    let looked = steps.run("Look at the image in the registry", |events| {
        look(config, &services, events)
    });
    match cancel.run_until_cancelled(Box::pin(looked)).await {
        Some(Ok(verified)) => Ending::Verified(Box::new(verified)),
        Some(Err(StepFailure { problem, step })) => Ending::Failed(Box::new(Failure {
            problem,
            step,
            effects: Vec::new(),
            cleanup: Vec::new(),
        })),
        None => Ending::Cancelled {
            effects: Vec::new(),
            cleanup: Vec::new(),
        },
    }
}

async fn look(
    config: &VerifyConfig,
    services: &Services,
    events: StepEvents,
) -> Result<Verified, Problem> {
    let facts = Box::pin(verify::gather(config, services)).await;
    let aws = services.aws().await.ok();
    for line in facts.lines(aws.map(Aws::origin)) {
        events.note(line);
    }
    let verified = verify(config, &facts)?;
    if !verified.more.is_empty() {
        let message = format!(
            "The image has more than its source and what falconutil is documented to add: {}",
            verified.more.join(", ")
        );
        events.warning(Code::FalconutilChangedMore, message, None);
    }
    Ok(verified)
}
