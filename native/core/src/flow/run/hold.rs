//! Images that no other job may remove while falconutil works on them.
//!
//! Agents of one machine share its engine. A job removes at its end what it has pulled, and other runs may have found
//! that there and rely on it. An engine keeps an image that a container has, so a run creates one that is never started.

use super::cleanup::Undo;
use super::context::Run;
use crate::adapters::engine::container::spec::ContainerSpec;
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::engine::error::reason::Reason;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::source::SourceOrigin;
use crate::flow::plan::ready::Ready;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Holds the images that falconutil is given. One that is gone already is pulled again, and then it is this job's.
    pub(super) async fn hold_images(
        &self,
        source: &str,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        if let SourceOrigin::Registry(repository, digest) = ready.source_origin()
            && repository.at(digest) == source
        {
            let source = (repository, digest);
            Box::pin(self.hold("source", source, ready, events)).await?;
        }
        let sensor = (ready.sensor_origin(), &ready.sensor.arm64);
        Box::pin(self.hold("sensor", sensor, ready, events)).await
    }

    async fn hold(
        &self,
        name: &str,
        (repository, digest): (&Repository, &Digest),
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        // Names in the run's own registry are the run's alone.
        if ready.is_staged(repository) {
            return Ok(());
        }
        let reference = repository.at(digest);
        let spec = ContainerSpec {
            command: vec!["never-started".to_owned()],
            ..self.container(
                &format!("holds-{name}"),
                reference.clone(),
                Platform::linux_arm64(),
            )
        };
        self.cleanup.push(Undo::Container(spec.name.clone()));
        let engine = self.services.engine()?;
        if engine.image(&reference).await?.is_none() {
            events.note(format!(
                "{reference} was removed by another job; pulling it again"
            ));
            self.pull_by_digest(repository, digest, events).await?;
        }
        let mut held = engine.create_idle(&spec).await;
        // It was removed between the look and the container.
        if held.as_ref().err().and_then(EngineError::reason) == Some(Reason::NotFound) {
            self.pull_by_digest(repository, digest, events).await?;
            held = engine.create_idle(&spec).await;
        }
        // The name is the run's alone, so a conflict means that it holds the image already. What cannot become a container
        // can still be patched.
        if let Err(error) = held
            && error.reason() != Some(Reason::Conflict)
        {
            events.note(format!("{reference} is not held for this run: {error}"));
        }
        Ok(())
    }
}
