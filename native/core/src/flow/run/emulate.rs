//! ARM64 programs on an engine of another platform.

use std::time::Duration;

use super::context::Run;
use super::last_lines::LastLines;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::container::spec::ContainerSpec;
use crate::domain::platform::Platform;
use crate::flow::config::patch::PinnedImage;
use crate::flow::effect::Effect;
use crate::flow::look::gather;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

/// A container that only answers a question takes no longer than this, even under emulation.
const PROBE_TIME: Duration = Duration::from_mins(2);

#[derive(Debug, thiserror::Error)]
enum EmulationError {
    #[error("The emulator image `{image}` ended with exit code {exit_code}")]
    InstallFailed {
        image: String,
        exit_code: i64,
        #[source]
        why: LastLines,
    },
}

impl Explain for EmulationError {
    fn code(&self) -> Code {
        match self {
            Self::InstallFailed { .. } => Code::EmulationInstallFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::InstallFailed { .. } => Some("Installing needs privileged containers; where they are forbidden, have the emulator installed on the agent and set `emulation: never`".to_owned()),
        }
    }
}

impl Run {
    pub(super) async fn install_emulator(
        &self,
        image: &PinnedImage,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let reference = image.repository.at(&image.digest);
        if !self.services.engine()?.holds(&reference).await? {
            self.pull_pinned(image, events).await?;
        }
        let spec = ContainerSpec {
            command: vec!["--install".to_owned(), "arm64".to_owned()],
            privileged: true,
            ..self.container("emulator", reference.clone(), self.engine_platform().await?)
        };
        let begun = Effect::EmulatorBegun {
            image: reference.clone(),
        };
        self.effects.begin(&begun);
        let end = self.run_container(&spec, events).await?;
        if end.exit_code != 0 {
            let why = LastLines::of(&end);
            return Err(EmulationError::InstallFailed {
                image: reference,
                exit_code: end.exit_code,
                why,
            }
            .into());
        }
        let installed = Effect::EmulatorInstalled { image: reference };
        self.effects.complete(&begun, installed);
        let engine = self.services.engine_facts().await?;
        let handler = gather::handler(Some(&engine), &self.services);
        Ok(StepOutcome::EmulatorInstalled(handler))
    }

    /// Runs the shell of the ARM64 sensor image, which falconutil's own `RUN` steps need as well.
    pub(super) async fn probe_arm64(
        &self,
        image: &str,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let spec = ContainerSpec {
            entrypoint: Some(vec!["/bin/sh".to_owned()]),
            command: vec!["-c".to_owned(), "exit 0".to_owned()],
            limit: PROBE_TIME,
            ..self.container("probe-arm64", image.to_owned(), Platform::linux_arm64())
        };
        let runs = match self.run_container(&spec, &events.quiet()).await {
            Ok(end) => end.exit_code == 0,
            // The engine says so when the kernel refuses to start the program.
            Err(problem) if problem.code == Code::EmulationMissing => false,
            Err(problem) => return Err(problem),
        };
        events.note(if runs {
            "an ARM64 program of the sensor image ran"
        } else {
            "no ARM64 program runs yet"
        });
        Ok(StepOutcome::Arm64Runs(runs))
    }
}
