//! Containers that do one thing and are gone.
//!
//! Dropping [`Engine::run`] leaves the container behind, so a caller registers its removal by name before it calls.
//! One race remains: the engine may still be creating what the cleanup finds absent. So a creation goes on to its end
//! whoever waits for it, and a removal waits for creations that are under way.

mod output;
mod service;

use std::collections::HashMap;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, ContainerSummary, ContainerSummaryStateEnum, HostConfig,
    HostConfigLogConfig, Mount, MountType,
};
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder,
};
use futures_util::StreamExt as _;

use super::error::Fault;
use super::{Engine, EngineError, Reason};
use crate::event::StepEvents;
use crate::platform::Platform;
use output::Lines;

/// The label that names the run a container belongs to.
pub const LABEL_RUN: &str = "falcon-patch.run";
/// The label that names the agent a container belongs to.
pub const LABEL_AGENT: &str = "falcon-patch.agent";
/// The label that names the job a container belongs to.
pub const LABEL_JOB: &str = "falcon-patch.job";

/// How long a removal waits for creations that are under way.
const CREATION: Duration = Duration::from_secs(3);

/// A container to run.
#[derive(Clone)]
pub struct ContainerSpec {
    /// The name, chosen by the caller so that it can remove the container at any time.
    pub name: String,
    /// The image's reference or id; it has to be in the engine.
    pub image: String,
    /// The platform; an image of another one is refused.
    pub platform: Platform,
    /// The arguments, which may hold secrets.
    pub command: Vec<String>,
    /// What to run instead of the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// Who to run as, such as `0:0`; none leaves it to the image.
    pub user: Option<String>,
    /// What to show of this machine.
    pub binds: Vec<Bind>,
    /// Which network it gets.
    pub network: Network,
    /// Whether it is root on the machine: for installing an emulator and nothing else.
    pub privileged: bool,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Environment variables, which may hold secrets.
    pub env: Vec<(String, String)>,
    /// How long it may run.
    pub limit: Duration,
}

impl fmt::Debug for ContainerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let variables: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("ContainerSpec")
            .field("name", &self.name)
            .field("image", &self.image)
            .field("platform", &self.platform)
            .field("arguments", &self.command.len())
            .field("entrypoint", &self.entrypoint)
            .field("user", &self.user)
            .field("binds", &self.binds)
            .field("network", &self.network)
            .field("privileged", &self.privileged)
            .field("labels", &self.labels)
            .field("variables", &variables)
            .field("limit", &self.limit)
            .finish()
    }
}

/// A file or folder of the engine's machine that a container sees.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bind {
    /// Where it is on the engine's machine; it has to exist.
    pub source: PathBuf,
    /// Where the container sees it.
    pub target: String,
    /// Whether the container may only read it.
    pub read_only: bool,
}

/// Which network a container gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// None but its own loopback interface.
    None,
    /// The engine's default.
    Default,
}

/// How a container ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Its exit code: 128 and more tell of a signal, 137 is SIGKILL, 139 SIGSEGV.
    pub exit_code: i64,
    /// Whether the kernel killed it for want of memory.
    pub oom_killed: bool,
    /// The last lines that it wrote, at most 200.
    pub last_lines: Vec<String>,
}

/// A container found by its labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundContainer {
    /// The engine's id for it.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its labels.
    pub labels: HashMap<String, String>,
    /// Whether it runs.
    pub is_running: bool,
}

impl Engine {
    /// Runs a container to its end, passes on every line that it writes, and removes it.
    ///
    /// A program that fails is no error here: its exit code tells.
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

    /// Creates the container in a task of its own, which a dropped [`Engine::run`] does not end.
    async fn create(
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
        let options = ListContainersOptionsBuilder::default()
            .all(true)
            .filters(&HashMap::from([("label", wanted)]))
            .build();
        let found = self.docker.list_containers(Some(options)).await;
        let found =
            found.map_err(|error| self.failed("Cannot list the engine's containers", error))?;
        Ok(found.into_iter().map(FoundContainer::of).collect())
    }

    /// Whether there is a container of that name.
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

fn body(spec: &ContainerSpec) -> ContainerCreateBody {
    // A bind that is a mount fails when its source is absent; the older form makes a folder of root's there.
    let mount = |bind: &Bind| Mount {
        typ: Some(MountType::BIND),
        source: Some(bind.source.to_string_lossy().into_owned()),
        target: Some(bind.target.clone()),
        read_only: Some(bind.read_only),
        ..Mount::default()
    };
    let host_config = HostConfig {
        mounts: Some(spec.binds.iter().map(mount).collect()),
        network_mode: match spec.network {
            Network::None => Some("none".to_owned()),
            Network::Default => None,
        },
        privileged: Some(spec.privileged),
        // The output is read as it comes; the engine need not write it to its disk.
        log_config: Some(HostConfigLogConfig {
            typ: Some("none".to_owned()),
            config: None,
        }),
        ..HostConfig::default()
    };
    let variable = |(name, value): &(String, String)| format!("{name}={value}");
    ContainerCreateBody {
        image: Some(spec.image.clone()),
        cmd: Some(spec.command.clone()),
        entrypoint: spec.entrypoint.clone(),
        user: spec.user.clone(),
        env: Some(spec.env.iter().map(variable).collect()),
        labels: Some(spec.labels.iter().cloned().collect()),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        host_config: Some(host_config),
        ..ContainerCreateBody::default()
    }
}

impl FoundContainer {
    fn of(summary: ContainerSummary) -> Self {
        let names = summary.names.unwrap_or_default();
        let name = names.first().map(|name| name.trim_start_matches('/'));
        Self {
            id: summary.id.unwrap_or_default(),
            name: name.unwrap_or_default().to_owned(),
            labels: summary.labels.unwrap_or_default(),
            is_running: summary.state == Some(ContainerSummaryStateEnum::RUNNING),
        }
    }
}
