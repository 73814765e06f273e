//! The container of falconutil, and its failures.

use std::path::PathBuf;
use std::time::Duration;

use super::assemble::failure::NotAssembled;
use super::context::Run;
use super::last_lines::LastLines;
use super::local_names::LOCAL_DOMAIN;
use super::native_program::with_program;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::container::spec::{Bind, ContainerEnd, ContainerSpec};
use crate::adapters::engine::error::reason::names_exec_format_error;
use crate::domain::engine::EngineImage;
use crate::domain::falcon::cloud_service::probably_meant;
use crate::domain::falcon::falconutil::{PatchCommand, help_arguments, help_names_platform};
use crate::domain::platform::Platform;
use crate::flow::facts::source::SourceOrigin;
use crate::flow::plan::engine_access::ENGINE_SOCKET;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::step::Falconutil;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

#[derive(Debug, thiserror::Error)]
enum FalconutilError {
    #[error("falconutil failed with exit code {exit_code}")]
    Failed {
        exit_code: i64,
        cause: FailureCause,
        #[source]
        why: LastLines,
    },
    #[error("falconutil sent requests to the engine that a patch does not need")]
    RequestRefused(#[source] RefusedRequests),
    #[error("falconutil ended without an error, but the engine has no patched image")]
    NoImage,
}

/// The refused requests, one a line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RefusedRequests(String);

/// The likely cause of a failure of falconutil. It only chooses the hint.
#[derive(Debug)]
enum FailureCause {
    NoEmulation,
    Crashed,
    OutOfMemory,
    Killed,
    CloudService(&'static str),
    Logged,
}

impl FalconutilError {
    /// Takes the cloud service beside the end, since a mistyped one is a likely cause.
    fn failed(end: &ContainerEnd, service: Option<&str>) -> Self {
        let cause = if end.oom_killed {
            FailureCause::OutOfMemory
        } else if names_exec_format_error(&end.last_lines) {
            FailureCause::NoEmulation
        } else if end.exit_code == 139 {
            FailureCause::Crashed
        } else if end.exit_code == 137 {
            FailureCause::Killed
        } else if let Some(meant) = service.and_then(probably_meant) {
            FailureCause::CloudService(meant)
        } else {
            FailureCause::Logged
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
            Self::RequestRefused(_) => Code::FalconutilRequestRefused,
            Self::NoImage => Code::FalconutilNoEffect,
        }
    }

    fn hint(&self) -> Option<String> {
        if let Self::Failed {
            cause: FailureCause::CloudService(meant),
            ..
        } = self
        {
            return Some(format!(
                "Read falconutil's lines in the log; if it does not know the `cloudService`, did you mean `{meant}`?"
            ));
        }
        Some(match self {
            Self::Failed { cause: FailureCause::NoEmulation, .. } => "ARM64 programs do not run on this agent: set `emulation: auto`, or install a current emulator",
            Self::Failed { cause: FailureCause::OutOfMemory, .. } => "The agent ran out of memory: run fewer jobs on it, or give it more memory",
            Self::Failed { cause: FailureCause::Crashed, .. } => "The program crashed; under emulation another release of the emulator may help: set `emulatorImage`",
            Self::Failed { cause: FailureCause::Killed, .. } => "The program was killed from outside: look whether the agent ran out of memory (`sudo dmesg`), or whether something on the agent stops containers",
            Self::Failed { cause: FailureCause::Logged | FailureCause::CloudService(_), .. } => "Read falconutil's lines in the log; a customer ID or an option that this sensor version does not know is the usual cause",
            Self::RequestRefused(_) => "Make sure that this is the sensor image you trust; if its release needs these requests, set `engineAccess: direct`",
            Self::NoImage => "Read falconutil's output in the log, and try another sensor version",
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
        let knows = match self.file_to_mount(falconutil).await {
            Ok(None) => {
                let end = self.run_container(&spec, &events.quiet()).await?;
                help_names_platform(&end.last_lines)
            }
            Ok(Some(file)) => match self.ask_program(&with_program(spec, file), events).await {
                Ok(knows) => knows,
                Err(not_used) => return not_used.outcome(events),
            },
            Err(not_used) => return not_used.outcome(events),
        };
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
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let source = self.source_for_falconutil(ready).await?;
        let target = self.local_name("patched")?;
        let end = self
            .run_falconutil(&source, &target, falconutil, None, ready, events)
            .await?;
        if end.exit_code != 0 {
            return Err(
                FalconutilError::failed(&end, ready.options.cloud_service.as_deref()).into(),
            );
        }
        Ok(StepOutcome::Nothing)
    }

    /// Runs falconutil on an image of the engine and returns its end; `file` is the program where it is not the image's.
    pub(super) async fn run_falconutil(
        &self,
        source: &str,
        target: &str,
        falconutil: &Falconutil,
        file: Option<PathBuf>,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<ContainerEnd, Problem> {
        let sensor_image = ready.sensor_origin().at(&ready.sensor.arm64);
        let command = PatchCommand {
            source,
            target,
            sensor: &sensor_image,
            knows_platform: falconutil.knows_platform,
        };
        self.hold_images(source, ready, events).await?;
        let socket = self.socket(source, target, ready).await?;
        let spec = ContainerSpec {
            command: command.arguments(&ready.options),
            user: Some("0:0".to_owned()),
            binds: vec![Bind {
                source: socket.path(),
                target: ENGINE_SOCKET.to_owned(),
                read_only: false,
            }],
            ..self.sensor_container("falconutil", falconutil).await?
        };
        let spec = match file {
            Some(file) => with_program(spec, file),
            None => spec,
        };
        let end = self.run_container(&spec, events).await?;
        let refused = socket.refused();
        if refused.is_empty() {
            Ok(end)
        } else {
            // Whatever it did about the refusals, it does not do as documented.
            Err(FalconutilError::RequestRefused(RefusedRequests(refused.join("\n"))).into())
        }
    }

    async fn sensor_container(
        &self,
        name: &str,
        falconutil: &Falconutil,
    ) -> Result<ContainerSpec, Problem> {
        let platform = if falconutil.arm64 || falconutil.program.is_some() {
            Platform::linux_arm64()
        } else {
            self.engine_platform().await?
        };
        Ok(self.container(name, falconutil.image.clone(), platform))
    }

    /// Returns the reference by which falconutil finds the source in the engine.
    async fn source_for_falconutil(&self, ready: &Ready<'_>) -> Result<String, Problem> {
        match ready.source_origin() {
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

    /// Returns the name of the source in the engine, as falconutil got it.
    pub(super) fn source_name(&self, ready: &Ready<'_>) -> String {
        match ready.source_origin() {
            SourceOrigin::Registry(repository, digest) => repository.at(digest),
            SourceOrigin::Engine(_) => format!("{LOCAL_DOMAIN}/{}:source", self.id),
        }
    }

    /// Returns the name of the patched image in the engine, as falconutil got it.
    pub(super) fn patched_name(&self) -> String {
        format!("{LOCAL_DOMAIN}/{}:patched", self.id)
    }

    /// Returns an image that falconutil was given or was to build.
    pub(super) async fn engine_image(&self, name: &str) -> Result<EngineImage, NotAssembled> {
        let image = self.services.engine()?.image(name).await?;
        image.ok_or_else(|| NotAssembled::Result(FalconutilError::NoImage.into()))
    }
}

#[cfg(test)]
mod tests {
    use super::FalconutilError;
    use crate::adapters::engine::container::spec::ContainerEnd;
    use crate::report::problem::Explain as _;

    #[test]
    fn the_way_in_which_it_ended_chooses_the_hint() {
        for (exit_code, oom_killed, line, expected) in [
            (1, false, "bad cid", "a customer ID"),
            (1, false, "exec format error", "`emulation: auto`"),
            (137, true, "", "ran out of memory: run fewer jobs"),
            (137, false, "", "was killed from outside"),
            (139, false, "", "crashed"),
        ] {
            let error = FalconutilError::failed(
                &ContainerEnd {
                    exit_code,
                    oom_killed,
                    last_lines: vec![line.to_owned()],
                },
                None,
            );
            let hint = error.hint().expect("a hint");
            assert!(hint.contains(expected), "{exit_code}: {hint}");
        }
    }
}
