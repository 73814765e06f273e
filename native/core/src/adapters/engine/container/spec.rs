use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use bollard::models::{
    ContainerCreateBody, ContainerSummary, HostConfig, HostConfigLogConfig, Mount, MountType,
};

use crate::domain::platform::Platform;

/// The label that names the run a container belongs to.
pub const LABEL_RUN: &str = "falcon-patch.run";

/// The label that names the agent a container belongs to.
pub const LABEL_AGENT: &str = "falcon-patch.agent";

/// The label that names the job a container belongs to.
pub const LABEL_JOB: &str = "falcon-patch.job";

/// A container to run.
#[derive(Clone)]
pub struct ContainerSpec {
    /// The name, chosen by the caller so that it can remove the container at any time.
    pub name: String,
    /// The image's reference or id; it must be in the engine.
    pub image: String,
    /// The platform; an image of another one is refused.
    pub platform: Platform,
    /// The arguments, which may hold secrets.
    pub command: Vec<String>,
    /// Command to run instead of the image's entrypoint.
    pub entrypoint: Option<Vec<String>>,
    /// User to run as, such as `0:0`; none leaves it to the image.
    pub user: Option<String>,
    /// Parts of this machine to show to it.
    pub binds: Vec<Bind>,
    /// Network that it gets.
    pub network: Network,
    /// True if it is root on the machine: for installing an emulator and nothing else.
    pub privileged: bool,
    /// Labels.
    pub labels: Vec<(String, String)>,
    /// Environment variables, which may hold secrets.
    pub env: Vec<(String, String)>,
    /// Longest time that it may run.
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
    /// Path on the engine's machine; it has to exist.
    pub source: PathBuf,
    /// Path where the container sees it.
    pub target: String,
    /// True if the container may only read it.
    pub read_only: bool,
}

/// Network that a container gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Network {
    /// None but its own loopback interface.
    None,
    /// The engine's default.
    Default,
}

/// End of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerEnd {
    /// Its exit code: 128 and more tell of a signal, 137 is SIGKILL, 139 SIGSEGV.
    pub exit_code: i64,
    /// True if the kernel killed it for want of memory.
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
}

/// A bind as a mount, which fails when its source is absent; the older form creates a folder of root's there.
pub(in crate::adapters::engine) fn mount(bind: &Bind) -> Mount {
    Mount {
        typ: Some(MountType::BIND),
        source: Some(bind.source.to_string_lossy().into_owned()),
        target: Some(bind.target.clone()),
        read_only: Some(bind.read_only),
        ..Mount::default()
    }
}

pub(super) fn body(spec: &ContainerSpec) -> ContainerCreateBody {
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
    pub(super) fn of(summary: ContainerSummary) -> Self {
        let names = summary.names.unwrap_or_default();
        let name = names.first().map(|name| name.trim_start_matches('/'));
        Self {
            id: summary.id.unwrap_or_default(),
            name: name.unwrap_or_default().to_owned(),
        }
    }
}
