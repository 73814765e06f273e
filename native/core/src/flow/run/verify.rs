//! Verifies an image: one look and one search, without engine, journal or folder, so there is nothing to clean up.

use tokio_util::sync::CancellationToken;

use super::log::log_ignored_records;
use super::step_log::{StepFailure, StepLog};
use crate::adapters::aws::account::Aws;
use crate::domain::agent::Agent;
use crate::domain::image::sensor_files::answer::SensorFiles;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::verify::VerifyFacts;
use crate::flow::look::sensor_files::sensor_files;
use crate::flow::look::verify::gather;
use crate::flow::outcome::{Ending, Failure, Verified};
use crate::flow::services::Services;
use crate::flow::verify::decide::{to_search, verify};
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
    let verified = gate(config, &services, &steps);
    match cancel.run_until_cancelled(Box::pin(verified)).await {
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

/// Lets an image pass that is patched as the configuration demands.
pub(super) async fn gate(
    config: &VerifyConfig,
    services: &Services,
    steps: &StepLog,
) -> Result<Verified, StepFailure> {
    let facts = steps.run("Look at the image in the registry", |events| {
        look(config, services, events)
    });
    let facts = facts.await?;
    let searched = steps.run("Search the layers for the sensor", |events| {
        search(config, &facts, services, events)
    });
    searched.await
}

/// Gathers the facts, and checks all of them before the search, which takes longer.
async fn look(
    config: &VerifyConfig,
    services: &Services,
    events: StepEvents,
) -> Result<VerifyFacts, Problem> {
    let facts = Box::pin(gather(config, services)).await;
    let aws = services.aws().await.ok();
    for line in facts.lines(aws.map(Aws::origin)) {
        events.note(line);
    }
    if let Ok(known) = &facts.records {
        log_ignored_records(known, &events);
    }
    to_search(config, &facts)?;
    Ok(facts)
}

/// Searches the layers for the files of which the configuration speaks.
async fn search(
    config: &VerifyConfig,
    facts: &VerifyFacts,
    services: &Services,
    events: StepEvents,
) -> Result<Verified, Problem> {
    let wanted = to_search(config, facts)?;
    let (repository, image) = (&wanted.image.repository, &wanted.image.image);
    let registry = services.registry().await?;
    let files = sensor_files(registry, repository, image, wanted.entrypoint, wanted.below);
    let files = files.await;
    if let Ok(SensorFiles::Present(found)) = &files {
        events.note(found.to_string());
    }
    let verified = verify(config, facts, &files)?;
    if let Some(record) = &verified.record {
        let signer = record.provenance.signer.as_ref();
        let by = signer.map_or_else(|| "not signed".to_owned(), |key| format!("signed by {key}"));
        events.note(format!("Record: recorded, {by}"));
    }
    if !verified.more.is_empty() {
        let message = format!(
            "The image has more than its source and what falconutil is documented to add: {}",
            verified.more.join(", ")
        );
        events.warning(Code::FalconutilChangedMore, message, None);
    }
    Ok(verified)
}
