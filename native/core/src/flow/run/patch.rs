//! falconutil at work.

use std::path::PathBuf;
use std::time::Duration;

use super::drive::Run;
use super::last_lines::LastLines;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::container::spec::{Bind, ContainerEnd, ContainerSpec};
use crate::adapters::engine::error::reason::tells_exec_format;
use crate::adapters::engine::socket::grant::Grant;
use crate::adapters::engine::socket::listen::EngineSocket;
use crate::domain::engine::EngineImage;
use crate::domain::falcon::falconutil::{PatchCommand, help_arguments, help_names_platform};
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourceOrigin;
use crate::flow::plan::step::Falconutil;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

/// Where falconutil looks for the engine.
const SOCKET_IN_CONTAINER: &str = "/var/run/docker.sock";

/// The domain of names that exist in the engine only; `.invalid` never resolves (RFC 2606), so nothing can be pulled or pushed by them.
const LOCAL_DOMAIN: &str = "falcon-patch.invalid";

#[derive(Debug, thiserror::Error)]
enum FalconutilError {
    #[error("falconutil failed with exit code {exit_code}")]
    Failed {
        exit_code: i64,
        cause: FailureCause,
        #[source]
        why: LastLines,
    },
    #[error("falconutil ended without an error, but the engine has no patched image")]
    NoImage,
    #[error("Cannot open a socket in `{folder}`", folder = folder.display())]
    NoSocket {
        folder: PathBuf,
        source: std::io::Error,
    },
}

/// What is understood of a falconutil that failed; its words only choose the advice.
#[derive(Debug)]
enum FailureCause {
    NoEmulation,
    Crashed,
    OutOfMemory,
    Told,
}

impl FalconutilError {
    fn failed(end: &ContainerEnd) -> Self {
        let cause = if end.oom_killed {
            FailureCause::OutOfMemory
        } else if tells_exec_format(&end.last_lines) {
            FailureCause::NoEmulation
        } else if end.exit_code == 139 {
            FailureCause::Crashed
        } else {
            FailureCause::Told
        };
        Self::Failed {
            exit_code: end.exit_code,
            cause,
            why: LastLines::of(end),
        }
    }
}

impl Explain for FalconutilError {
    fn code(&self) -> Code {
        match self {
            Self::Failed { .. } => Code::FalconutilFailed,
            Self::NoImage => Code::FalconutilNoEffect,
            Self::NoSocket { .. } => Code::TaskFolderNotWritable,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Failed { cause: FailureCause::NoEmulation, .. } => "ARM64 programs do not run on this agent: set `emulation: auto`, or install a current emulator",
            Self::Failed { cause: FailureCause::OutOfMemory, .. } => "The agent ran out of memory: run fewer jobs on it, or give it more",
            Self::Failed { cause: FailureCause::Crashed, .. } => "The program crashed; under emulation another release of the emulator may help: set `emulatorImage`",
            Self::Failed { cause: FailureCause::Told, .. } => "Read falconutil's lines in the log; a customer ID or an option that this sensor version does not know is the usual cause",
            Self::NoImage => "Read falconutil's output in the log, and try another sensor version",
            Self::NoSocket { .. } => "Let the agent's user own and write to the agent's temporary folder",
        }.to_owned())
    }
}

impl Run {
    pub(super) async fn probe_falconutil(
        &self,
        falconutil: &Falconutil,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let spec = ContainerSpec {
            command: help_arguments(),
            limit: Duration::from_mins(2),
            ..self
                .sensor_container("probe-falconutil", falconutil)
                .await?
        };
        let end = self.run_container(&spec, &events.quiet()).await?;
        let knows = help_names_platform(&end.last_lines);
        events.note(if knows {
            "it knows `--platform`"
        } else {
            "it does not know `--platform`"
        });
        Ok(StepOutcome::KnowsPlatform {
            arm64: falconutil.arm64,
            knows,
        })
    }

    pub(super) async fn patch(
        &self,
        falconutil: &Falconutil,
        knows_platform: bool,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let source = self.source_for_falconutil(facts).await?;
        let target = self.local_name("patched")?;
        let end = self
            .run_falconutil(&source, &target, falconutil, knows_platform, facts, events)
            .await?;
        if end.exit_code != 0 {
            return Err(FalconutilError::failed(&end).into());
        }
        Ok(StepOutcome::Nothing)
    }

    /// Has falconutil patch an image of the engine, and tells how it ended.
    pub(super) async fn run_falconutil(
        &self,
        source: &str,
        target: &str,
        falconutil: &Falconutil,
        knows_platform: bool,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<ContainerEnd, Problem> {
        let sensor = facts.sensor.as_ref().map_err(Clone::clone)?;
        let sensor_image = facts.sensor_origin(sensor).at(&sensor.arm64);
        let command = PatchCommand {
            source,
            target,
            sensor: &sensor_image,
            knows_platform,
        };
        let socket = self.socket(facts).await?;
        let spec = ContainerSpec {
            command: command.arguments(&self.falcon_options(facts)?),
            user: Some("0:0".to_owned()),
            binds: vec![Bind {
                source: socket.path(),
                target: SOCKET_IN_CONTAINER.to_owned(),
                read_only: false,
            }],
            ..self.sensor_container("falconutil", falconutil).await?
        };
        self.run_container(&spec, events).await
    }

    async fn sensor_container(
        &self,
        name: &str,
        falconutil: &Falconutil,
    ) -> Result<ContainerSpec, Problem> {
        let platform = if falconutil.arm64 {
            Platform::linux_arm64()
        } else {
            self.engine_platform().await?
        };
        Ok(self.container(name, falconutil.image.clone(), platform))
    }

    pub(super) async fn engine_platform(&self) -> Result<Platform, Problem> {
        Ok(self.services.engine_facts().await?.platform)
    }

    /// The reference by which falconutil finds the source in the engine.
    async fn source_for_falconutil(&self, facts: &Facts) -> Result<String, Problem> {
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        match facts.source_origin(source) {
            SourceOrigin::Registry(repository, digest) => Ok(repository.at(digest)),
            SourceOrigin::Engine(id) => {
                let name = self.local_name("source")?;
                self.services
                    .engine()?
                    .tag(id, &format!("{LOCAL_DOMAIN}/{}", self.id), "source")
                    .await?;
                Ok(name)
            }
        }
    }

    /// A name of this run alone in the engine, taken away at the end.
    pub(super) fn local_name(&self, tag: &str) -> Result<String, Problem> {
        let name = format!("{LOCAL_DOMAIN}/{}:{tag}", self.id);
        self.reserve_local_name(name.clone())?;
        Ok(name)
    }

    /// The patched image in the engine, by the name that falconutil was told.
    pub(super) async fn patched_image(&self) -> Result<EngineImage, Problem> {
        let name = format!("{LOCAL_DOMAIN}/{}:patched", self.id);
        let image = self.services.engine()?.image(&name).await?;
        Ok(image.ok_or(FalconutilError::NoImage)?)
    }

    /// The socket that falconutil gets; one of ours signs its pulls in, so that it needs no token.
    async fn socket(&self, facts: &Facts) -> Result<SensorSocket, Problem> {
        let engine = self.services.engine()?;
        let agent = self.services.agent();
        let Some(path) = engine.socket() else {
            return Ok(SensorSocket::Engines(SOCKET_IN_CONTAINER.into()));
        };
        // In a container job the engine sees other paths than we do, so only its own socket can be mounted.
        if agent.in_container_job {
            return Ok(SensorSocket::Engines(path.to_owned()));
        }
        let folder = self.folder();
        let grants = futures_util::future::try_join_all(granted(facts)?.into_iter().map(
            |repository| async {
                let auth = self.registry_auth(&repository).await?;
                Ok::<_, Problem>(Grant { repository, auth })
            },
        ));
        let socket = EngineSocket::open(path, &folder, grants.await?);
        Ok(SensorSocket::Ours(socket.map_err(|source| {
            FalconutilError::NoSocket { folder, source }
        })?))
    }
}

/// The repositories that falconutil may have pulled: the sensor's, and the source's if it is in a registry.
fn granted(facts: &Facts) -> Result<Vec<Repository>, Problem> {
    let source = facts.source.as_ref().map_err(Clone::clone)?;
    let sensor = facts.sensor.as_ref().map_err(Clone::clone)?;
    let mut repositories = vec![facts.sensor_origin(sensor).clone()];
    if let SourceOrigin::Registry(repository, _) = facts.source_origin(source) {
        repositories.push(repository.clone());
    }
    Ok(repositories)
}

/// A socket to mount; ours is closed when it is dropped.
enum SensorSocket {
    Ours(EngineSocket),
    Engines(PathBuf),
}

impl SensorSocket {
    fn path(&self) -> PathBuf {
        match self {
            Self::Ours(socket) => socket.path(),
            Self::Engines(path) => path.clone(),
        }
    }
}
