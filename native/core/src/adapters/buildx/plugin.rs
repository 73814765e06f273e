//! Docker's buildx plugin, run by itself.
//!
//! The plugin is also a program of its own (<https://github.com/docker/buildx#manual-download>), so neither the command
//! line `docker` nor the user's configuration is needed to run it. It gets an environment with nothing but what it needs.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::Duration;

use tokio::process::Command;

use crate::adapters::process;
use crate::domain::builder::{Builder, BuilderName};
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;

const PROGRAM: &str = "docker-buildx";

/// The platform that builders are made for.
const PLATFORM: &str = "linux/arm64";

/// It only asks the engine whether it is there, and writes a file.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes that it may write; what it says of a builder has some hundred.
const OUTPUT: usize = 256 * 1024;

/// Folders where Docker looks for plugins after the user's own folder
/// (<https://github.com/docker/cli/blob/master/cli-plugins/manager/manager_unix.go>).
const FOLDERS: [&str; 4] = [
    "/usr/local/lib/docker/cli-plugins",
    "/usr/local/libexec/docker/cli-plugins",
    "/usr/lib/docker/cli-plugins",
    "/usr/libexec/docker/cli-plugins",
];

/// The plugin as it is installed on the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Buildx {
    program: PathBuf,
    path: OsString,
}

/// Reason that buildx did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum BuildxError {
    /// It is not installed.
    #[error("The buildx plugin, which `builderName` needs, is not installed on this agent")]
    Missing {
        /// Places where it was looked for.
        #[source]
        looked: Cause,
    },
    /// It cannot be started, or does not come to an end.
    #[error("The buildx plugin `{program}` cannot be run", program = program.display())]
    NotRun {
        /// The plugin.
        program: PathBuf,
        /// The reason.
        #[source]
        why: Cause,
    },
    /// The engine is reached by TLS, which a builder on its address cannot use.
    #[error(
        "No buildx builder can be created on the engine at `{address}`, which is reached by TLS"
    )]
    ByTls {
        /// The engine's address.
        address: String,
    },
    /// It refused.
    #[error("The buildx builder `{name}` could not be {done}")]
    Failed {
        /// The builder.
        name: BuilderName,
        /// The request, as a participle.
        done: &'static str,
        /// Its message.
        #[source]
        why: Cause,
    },
}

impl Explain for BuildxError {
    fn code(&self) -> Code {
        match self {
            Self::Missing { .. } | Self::NotRun { .. } => Code::EngineBuildxMissing,
            Self::Failed { .. } | Self::ByTls { .. } => Code::EngineBuilderFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Missing { .. } | Self::NotRun { .. } => "Install it on the agent (`apt-get install docker-buildx-plugin`, or `docker-buildx` of Debian and Ubuntu), or leave `builderName` empty",
            Self::ByTls { .. } => "Leave `builderName` empty, and create a builder from a Docker context that holds the certificates (`docker context create`); or reach the engine by a socket that both containers share",
            Self::Failed { .. } => "Read what buildx says above, try `docker buildx create --driver docker-container` on the agent, or leave `builderName` empty",
        }.to_owned())
    }
}

impl Buildx {
    /// Finds the plugin where Docker would, and else on the search path; `variable` reads the environment.
    pub fn find(variable: impl Fn(&str) -> Option<OsString>) -> Result<Self, BuildxError> {
        let folder = |name: &str| {
            let value = variable(name).filter(|value| !value.is_empty());
            value.map(PathBuf::from)
        };
        let users = folder("DOCKER_CONFIG").or_else(|| Some(folder("HOME")?.join(".docker")));
        let path = variable("PATH").unwrap_or_default();
        let searched: Vec<PathBuf> = users
            .map(|users| users.join("cli-plugins"))
            .into_iter()
            .chain(FOLDERS.map(PathBuf::from))
            .chain(std::env::split_paths(&path))
            .collect();
        let mut candidates = searched.iter().map(|folder| folder.join(PROGRAM));
        match candidates.find(|program| program.is_file()) {
            Some(program) => Ok(Self { program, path }),
            None => Err(BuildxError::Missing {
                looked: Cause::said(&format!(
                    "no `{PROGRAM}` in Docker's folders for plugins, such as `{}`, nor on `PATH`",
                    FOLDERS[3]
                )),
            }),
        }
    }

    /// Requests its version.
    pub async fn version(&self) -> Result<String, BuildxError> {
        let output = self.run(&["version"], None).await?;
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if !output.status.success() {
            return Err(self.not_run(&said_by(&output)));
        }
        // `github.com/docker/buildx v0.29.1 REVISION`: the second word is the version.
        Ok(said.split_whitespace().nth(1).unwrap_or(&said).to_owned())
    }

    /// Creates a builder with one node on the engine at `endpoint`; nothing is started or pulled.
    pub async fn create(
        &self,
        builder: &Builder,
        node: &str,
        endpoint: &str,
    ) -> Result<(), BuildxError> {
        let name = builder.name.to_string();
        let arguments = [
            "create",
            "--name",
            &name,
            "--node",
            node,
            "--driver",
            "docker-container",
            "--platform",
            PLATFORM,
            endpoint,
        ];
        let output = self.run(&arguments, Some(&builder.folder)).await?;
        refused(builder, "created", &output)
    }

    /// Inspects a builder, checks that it builds for the platform, and returns buildx's lines.
    pub async fn inspect(&self, builder: &Builder) -> Result<Vec<String>, BuildxError> {
        let name = builder.name.to_string();
        let output = self.run(&["inspect", &name], Some(&builder.folder)).await?;
        refused(builder, "inspected", &output)?;
        let said = String::from_utf8_lossy(&output.stdout);
        if !said.contains(PLATFORM) {
            return Err(BuildxError::Failed {
                name: builder.name.clone(),
                done: "inspected",
                why: Cause::said(&format!("it does not build for {PLATFORM}: {said}")),
            });
        }
        Ok(said.lines().map(str::to_owned).collect())
    }

    async fn run(&self, arguments: &[&str], config: Option<&Path>) -> Result<Output, BuildxError> {
        let mut command = Command::new(&self.program);
        command
            .args(arguments)
            .env_clear()
            .env("PATH", &self.path)
            // No folder is there and none can be made: the user's passwords and contexts are neither read nor changed.
            .env("DOCKER_CONFIG", "/proc/none");
        if let Some(config) = config {
            command.env("BUILDX_CONFIG", config);
        }
        let ended =
            tokio::time::timeout(PATIENCE, process::output(&mut command, &[], OUTPUT)).await;
        let too_slow = || io::Error::from(io::ErrorKind::TimedOut);
        ended
            .unwrap_or_else(|_| Err(too_slow()))
            .map_err(|error| self.not_run(&error.to_string()))
    }

    fn not_run(&self, why: &str) -> BuildxError {
        BuildxError::NotRun {
            program: self.program.clone(),
            why: Cause::said(why),
        }
    }
}

fn refused(builder: &Builder, done: &'static str, output: &Output) -> Result<(), BuildxError> {
    if output.status.success() {
        return Ok(());
    }
    Err(BuildxError::Failed {
        name: builder.name.clone(),
        done,
        why: Cause::said(&said_by(output)),
    })
}

fn said_by(output: &Output) -> String {
    let errors = String::from_utf8_lossy(&output.stderr);
    let text = errors.trim().trim_start_matches("ERROR: ");
    if text.is_empty() {
        output.status.to_string()
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests;
