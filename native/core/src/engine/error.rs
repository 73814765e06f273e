//! What goes wrong with the engine, and with a registry behind it.

mod reason;

use std::fmt;
use std::io;
use std::time::Duration;

pub use reason::{Reason, tells_exec_format};

use crate::error::{Code, Explain};

/// Why something could not be done with the engine.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// `DOCKER_HOST` names another machine without TLS.
    #[error(
        "The Docker Engine at `{address}` is on another machine and its address has no protection"
    )]
    AddressRemote {
        /// The address as it was set.
        address: String,
    },
    /// `DOCKER_HOST` has a form that is not supported.
    #[error("The Docker Engine's address `{address}` has a form that is not supported")]
    AddressUnsupported {
        /// The address as it was set.
        address: String,
    },
    /// Nothing listens at the address.
    #[error("No Docker Engine answers at `{address}`")]
    NotReachable {
        /// The address.
        address: String,
        /// What the connection failed with.
        source: io::Error,
    },
    /// The agent's user has no right to the socket.
    #[error("The agent's user may not use the Docker Engine at `{address}`")]
    NotPermitted {
        /// The address.
        address: String,
        /// What the connection failed with.
        source: io::Error,
    },
    /// The job runs in a container that has no engine socket.
    #[error("The job runs in a container that has no Docker Engine at `{address}`")]
    ContainerJob {
        /// The address.
        address: String,
    },
    /// The engine runs without root.
    #[error("The Docker Engine at `{address}` is rootless")]
    Rootless {
        /// The address.
        address: String,
    },
    /// The engine runs Windows containers.
    #[error("The Docker Engine at `{address}` runs Windows containers")]
    WindowsContainers {
        /// The address.
        address: String,
    },
    /// podman listens where an engine is expected.
    #[error("The socket at `{address}` is podman's, not a Docker Engine's")]
    Podman {
        /// The address.
        address: String,
    },
    /// A pull failed.
    #[error("Cannot pull `{image}`")]
    Pull {
        /// The image's reference.
        image: String,
        /// What the engine says.
        source: Refusal,
    },
    /// A push failed.
    #[error("Cannot push `{image}`")]
    Push {
        /// The image's reference.
        image: String,
        /// What the engine says.
        source: Refusal,
    },
    /// A container ran longer than it may.
    #[error("The container of `{image}` was stopped after {limit} s", limit = limit.as_secs())]
    ContainerTooSlow {
        /// The container's image.
        image: String,
        /// How long it may take.
        limit: Duration,
    },
    /// Another request failed.
    #[error("{what}")]
    Request {
        /// What could not be done, as a sentence.
        what: String,
        /// What the engine says.
        source: Refusal,
    },
}

/// What the engine says about a request that failed, and what is understood of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// What it means.
    pub reason: Reason,
    /// The engine's own words.
    pub message: String,
}

impl EngineError {
    /// What the engine or the registry behind it meant, where one of them answered at all.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Pull { source, .. }
            | Self::Push { source, .. }
            | Self::Request { source, .. } => Some(source.reason),
            Self::AddressRemote { .. }
            | Self::AddressUnsupported { .. }
            | Self::NotReachable { .. }
            | Self::NotPermitted { .. }
            | Self::ContainerJob { .. }
            | Self::Rootless { .. }
            | Self::WindowsContainers { .. }
            | Self::Podman { .. }
            | Self::ContainerTooSlow { .. } => None,
        }
    }

    /// Whether the same request may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.reason().is_some_and(Reason::is_transient)
    }

    /// Whether the same request may succeed with a new authorization token.
    #[must_use]
    pub fn wants_new_sign_in(&self) -> bool {
        matches!(
            self.reason(),
            Some(Reason::SignInRefused | Reason::SignInExpired | Reason::Forbidden)
        )
    }

    pub(super) fn not_connected(
        address: String,
        source: io::Error,
        in_container_job: bool,
    ) -> Self {
        match source.kind() {
            io::ErrorKind::PermissionDenied => Self::NotPermitted { address, source },
            io::ErrorKind::NotFound if in_container_job => Self::ContainerJob { address },
            _ => Self::NotReachable { address, source },
        }
    }
}

impl Explain for EngineError {
    fn code(&self) -> Code {
        match self {
            Self::AddressRemote { .. } | Self::AddressUnsupported { .. } => Code::EngineRemote,
            Self::NotReachable { .. } => Code::EngineNotReachable,
            Self::NotPermitted { .. } => Code::EngineNotPermitted,
            Self::ContainerJob { .. } => Code::EngineInContainerJob,
            Self::Rootless { .. } => Code::EngineRootless,
            Self::WindowsContainers { .. } => Code::EngineWindowsContainers,
            Self::Podman { .. } => Code::EnginePodman,
            Self::Pull { source, .. } => source.reason.code(Code::EnginePullFailed),
            Self::Push { source, .. } => source.reason.code(Code::EnginePushFailed),
            Self::ContainerTooSlow { .. } => Code::EngineRequestFailed,
            Self::Request { source, .. } => source.reason.code(Code::EngineRequestFailed),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AddressRemote { .. } | Self::AddressUnsupported { .. } => {
                "Unset `DOCKER_HOST` to use `unix:///var/run/docker.sock`, or set it to `unix:///PATH` or to `tcp://127.0.0.1:PORT`"
            }
            Self::NotReachable { .. } => {
                "Start the engine with `sudo systemctl enable --now docker`, or run the job on an agent that has one"
            }
            Self::NotPermitted { .. } => {
                "Run `sudo usermod -aG docker $(whoami)` as the agent's user and restart the agent"
            }
            Self::ContainerJob { .. } => {
                "Add `options: -v /var/run/docker.sock:/var/run/docker.sock` to the job's `container`, or run the step with `target: host`"
            }
            Self::Rootless { .. } => {
                "Run the job on an agent whose Docker Engine runs as root; `DOCKER_HOST` chooses it where there are two"
            }
            Self::WindowsContainers { .. } => "Run the job on a Linux agent",
            Self::Podman { .. } => {
                "Install Docker Engine, or set `DOCKER_HOST` to its socket if it is there beside podman"
            }
            Self::Pull { image, source } | Self::Push { image, source } => {
                return source.reason.hint(host(image));
            }
            Self::ContainerTooSlow { .. } => {
                "Look at the container's last lines above; an agent under heavy load may only need another run"
            }
            Self::Request { source, .. } => return source.reason.hint(""),
        };
        Some(hint.to_owned())
    }
}

/// The registry's host in a reference.
fn host(image: &str) -> &str {
    image.split_once('/').map_or("", |(host, _)| host)
}

/// How a request failed, before it is known what for it was made.
#[derive(Debug)]
pub(super) enum Fault {
    /// There is no connection.
    Connect(io::Error),
    /// The engine refused, with the status if it came in time to tell it.
    Told {
        status: Option<u16>,
        message: String,
    },
    /// The connection broke or what came over it cannot be read.
    Broken(String),
    /// Nothing came for this long.
    TimedOut(Duration),
}

impl Fault {
    pub(super) fn broken(error: impl fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }

    /// A refusal with its body: `{"message": …}`, or whatever a proxy on the way writes.
    pub(super) fn status(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let message = json
            .as_ref()
            .and_then(|json| json["message"].as_str())
            .unwrap_or(text.trim());
        Self::Told {
            status: Some(status),
            message: message.to_owned(),
        }
    }

    pub(super) fn into_refusal(self) -> Refusal {
        let (reason, message) = match self {
            Self::Connect(error) => (Reason::ConnectionLost, error.to_string()),
            Self::Told { status, message } => {
                let reason = Reason::of(status, &message);
                (reason, told(status, &message))
            }
            Self::Broken(message) => (Reason::ConnectionLost, message),
            Self::TimedOut(limit) => {
                let message = format!("nothing came from the engine for {} s", limit.as_secs());
                (Reason::TimedOut, message)
            }
        };
        Refusal { reason, message }
    }
}

/// An empty message says nothing, so the status stands in for it.
fn told(status: Option<u16>, message: &str) -> String {
    match status {
        _ if !message.trim().is_empty() => message.trim().to_owned(),
        Some(status) => format!("the engine answers with status {status} and no message"),
        None => "the engine reports an error without a message".to_owned(),
    }
}

impl From<bollard::errors::Error> for Fault {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => Self::Told {
                status: Some(status_code),
                message,
            },
            Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => {
                Self::Told {
                    status: None,
                    message: error,
                }
            }
            Error::RequestTimeoutError => Self::TimedOut(super::ANSWER_LIMIT),
            // Only `Wire` makes errors of another kind than these, and only when it cannot connect.
            Error::IOError { err } if err.kind() != io::ErrorKind::Other => Self::Connect(err),
            other => Self::broken(other),
        }
    }
}

impl From<Fault> for bollard::errors::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Connect(err) => Self::IOError { err },
            other => Self::IOError {
                err: io::Error::other(other.into_refusal().message),
            },
        }
    }
}

#[cfg(test)]
mod tests;
