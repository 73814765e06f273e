//! Containers that do one thing and are gone.
//!
//! Dropping [`Engine::run`] leaves the container behind, so a caller registers its removal by name before it calls.
//! One race remains: the engine may still be creating what the cleanup finds absent. So a creation goes on to its end
//! even if nobody waits for it, and a removal waits for creations that are under way.

use std::time::Duration;

use bollard::models::{ContainerCreateBody, ContainerSummary};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt as _;
use url::form_urlencoded::Serializer;

use super::output::Lines;
use super::spec::{ContainerEnd, ContainerSpec, FoundContainer, body};
use crate::adapters::engine::client::Engine;
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::engine::error::fault::Fault;
use crate::adapters::engine::error::reason::Reason;
use crate::report::event::StepEvents;

/// Longest time that a removal waits for creations that are under way.
const CREATION: Duration = Duration::from_secs(3);

impl Engine {
    /// Runs a container to its end, passes on every line that it writes, and removes it.
    ///
    /// A program that fails is not an error here: its exit code tells.
    pub async fn run(
        &self,
        spec: &ContainerSpec,
        events: &StepEvents,
    ) -> Result<ContainerEnd, EngineError> {
        self.create(spec, body(spec)).await?;
        let run = tokio::time::timeout(spec.limit, self.follow(spec, events)).await;
        let end = run.unwrap_or_else(|_| {
            Err(EngineError::ContainerTooSlow {
                image: spec.image.clone(),
                limit: spec.limit,
            })
        });
        let removed = self.remove_container(&spec.name).await;
        let end = end?;
        removed?;
        Ok(end)
    }

    /// Creates a container to look into, which is not started.
    pub(crate) async fn create_idle(&self, spec: &ContainerSpec) -> Result<(), EngineError> {
        self.create(spec, body(spec)).await
    }

    /// Creates the container in a task of its own, which a dropped [`Engine::run`] does not end.
    pub(super) async fn create(
        &self,
        spec: &ContainerSpec,
        body: ContainerCreateBody,
    ) -> Result<(), EngineError> {
        let options = CreateContainerOptionsBuilder::default()
            .name(&spec.name)
            .platform(&spec.platform.to_string())
            .build();
        let under_way = self.creating.clone().read_owned().await;
        let docker = self.docker.clone();
        let creation = tokio::spawn(async move {
            let created = docker.create_container(Some(options), body).await;
            drop(under_way);
            created
        });
        let what = || format!("Cannot create a container of `{}`", spec.image);
        let created = creation
            .await
            .map_err(|error| self.failed(what(), Fault::broken(error)))?;
        created.map_err(|error| self.failed(what(), error))?;
        Ok(())
    }

    /// Attaches before the start, so that no line is lost whatever the logging driver, and reads until the end.
    async fn follow(
        &self,
        spec: &ContainerSpec,
        events: &StepEvents,
    ) -> Result<ContainerEnd, EngineError> {
        let what = || format!("Cannot run a container of `{}`", spec.image);
        let options = AttachContainerOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .stream(true)
            .build();
        let attached = self
            .docker
            .attach_container(&spec.name, Some(options))
            .await;
        let mut output = attached.map_err(|error| self.failed(what(), error))?.output;
        let started = self.docker.start_container(&spec.name, None).await;
        started.map_err(|error| self.failed(what(), error))?;
        let mut lines = Lines::new(events);
        while let Some(piece) = output.next().await {
            lines.take(&piece.map_err(|error| self.failed(what(), error))?);
        }
        let last_lines = lines.finish();
        // A code other than zero is an error to bollard, so the state is asked for it.
        let mut ended = std::pin::pin!(self.docker.wait_container(&spec.name, None));
        while ended.next().await.is_some() {}
        let path = format!("/containers/{}/json", spec.name);
        let answer = self.wire.get(&path).await;
        let state = &answer.map_err(|fault| self.failed(what(), fault))?["State"];
        if state["Running"] != false {
            let fault = Fault::broken("its output ended, but the engine says that it still runs");
            return Err(self.failed(what(), fault));
        }
        Ok(ContainerEnd {
            exit_code: state["ExitCode"].as_i64().unwrap_or(-1),
            oom_killed: state["OOMKilled"] == true,
            last_lines,
        })
    }

    /// Finds containers, running or not, that carry all of these labels.
    pub async fn containers_with(
        &self,
        labels: &[(&str, &str)],
    ) -> Result<Vec<FoundContainer>, EngineError> {
        let wanted: Vec<_> = labels
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let filters = serde_json::json!({"label": wanted}).to_string();
        let query = Serializer::new(String::new())
            .append_pair("all", "true")
            .append_pair("filters", &filters)
            .finish();
        let found = async {
            let found = self.wire.get(&format!("/containers/json?{query}")).await?;
            serde_json::from_value::<Vec<ContainerSummary>>(found).map_err(Fault::broken)
        };
        let found = found.await;
        let found =
            found.map_err(|fault| self.failed("Cannot list the engine's containers", fault))?;
        Ok(found.into_iter().map(FoundContainer::of).collect())
    }

    /// Returns true if there is a container of that name.
    pub async fn has_container(&self, name: &str) -> Result<bool, EngineError> {
        match self.wire.get(&format!("/containers/{name}/json")).await {
            Ok(_) => Ok(true),
            Err(fault) => {
                let error = self.failed(format!("Cannot look for the container `{name}`"), fault);
                match error.reason() {
                    Some(Reason::NotFound) => Ok(false),
                    _ => Err(error),
                }
            }
        }
    }

    /// Removes a container by name or id at once, even while it runs, with its anonymous volumes. One that is not
    /// there, or is being removed already, is success.
    pub async fn remove_container(&self, name: &str) -> Result<(), EngineError> {
        // Nothing is held: with the write guard every creation that had begun by now has ended.
        drop(tokio::time::timeout(CREATION, self.creating.write()).await);
        let options = RemoveContainerOptionsBuilder::default()
            .force(true)
            .v(true)
            .build();
        let removed = self.docker.remove_container(name, Some(options)).await;
        let Err(error) = removed else {
            return Ok(());
        };
        let error = self.failed(format!("Cannot remove the container `{name}`"), error);
        match error.reason() {
            Some(Reason::NotFound | Reason::Conflict) => Ok(()),
            _ => Err(error),
        }
    }
}
