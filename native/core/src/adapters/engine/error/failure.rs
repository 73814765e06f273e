//! Failures of the engine, and of a registry behind it.

use std::io;
use std::time::Duration;

use super::fault::{EngineRefusal, Fault};
use super::reason::Reason;
use crate::adapters::engine::tls::fault::TlsFault;
use crate::domain::aws::denial::{READ_IMAGE, allow};
use crate::domain::engine::INCOMPLETE;
use crate::domain::reference::repository::Repository;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Reason that something could not be done with the engine.
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
        /// Error of the connection.
        source: io::Error,
    },
    /// The agent's user has no right to the socket.
    #[error("The agent's user may not use the Docker Engine at `{address}`")]
    NotPermitted {
        /// The address.
        address: String,
        /// Error of the connection.
        source: io::Error,
    },
    /// The job runs in a container that has no engine socket.
    #[error("The job runs in a container that has no Docker Engine at `{address}`")]
    ContainerJob {
        /// The address.
        address: String,
    },
    /// The two sides do not agree on TLS.
    #[error("Cannot use the Docker Engine at `{address}`")]
    Tls {
        /// The address.
        address: String,
        /// The fault.
        source: TlsFault,
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
        /// Message of the engine.
        source: EngineRefusal,
    },
    /// A pull ended without an error, and the engine has not got the image's content.
    #[error("The engine has pulled `{image}`, but not its content")]
    Incomplete {
        /// The image's reference.
        image: String,
    },
    /// A container ran longer than it may.
    #[error("The container of `{image}` was stopped after {limit} s", limit = limit.as_secs())]
    ContainerTooSlow {
        /// The container's image.
        image: String,
        /// Longest time that it may take.
        limit: Duration,
    },
    /// Another request failed.
    #[error("{what}")]
    Request {
        /// Sentence that says what could not be done.
        what: String,
        /// Message of the engine.
        source: EngineRefusal,
    },
}

impl EngineError {
    /// The meaning of the refusal by the engine or the registry behind it; none if neither answered.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Self::Pull { source, .. } | Self::Request { source, .. } => Some(source.reason),
            Self::AddressRemote { .. }
            | Self::AddressUnsupported { .. }
            | Self::NotReachable { .. }
            | Self::NotPermitted { .. }
            | Self::Tls { .. }
            | Self::ContainerJob { .. }
            | Self::Rootless { .. }
            | Self::WindowsContainers { .. }
            | Self::Podman { .. }
            | Self::Incomplete { .. }
            | Self::ContainerTooSlow { .. } => None,
        }
    }

    /// Returns true if the same request may succeed a little later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        self.reason().is_some_and(Reason::is_transient)
    }

    /// Returns true if the same request may succeed with a new authorization token.
    #[must_use]
    pub fn wants_new_sign_in(&self) -> bool {
        matches!(
            self.reason(),
            Some(Reason::SignInRefused | Reason::SignInExpired | Reason::Forbidden)
        )
    }

    /// Returns the error for a connection that failed, by the kind of `source`.
    #[must_use]
    pub fn not_connected(address: String, source: io::Error, in_container_job: bool) -> Self {
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
            Self::Tls { .. } => Code::EngineTlsFailed,
            Self::Rootless { .. } => Code::EngineRootless,
            Self::WindowsContainers { .. } => Code::EngineWindowsContainers,
            Self::Podman { .. } => Code::EnginePodman,
            Self::Pull { source, .. } => source.reason.code(Code::EnginePullFailed),
            Self::Incomplete { .. } => Code::EngineImageIncomplete,
            Self::ContainerTooSlow { .. } => Code::EngineRequestFailed,
            Self::Request { source, .. } => source.reason.code(Code::EngineRequestFailed),
        }
    }

    fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::AddressRemote { .. } | Self::AddressUnsupported { .. } => {
                "Unset `DOCKER_HOST` to use `unix:///var/run/docker.sock`, or set it to `unix:///PATH` or to `tcp://127.0.0.1:PORT`; an engine on another machine needs `tcp://HOST:2376` and `DOCKER_TLS_VERIFY`"
            }
            Self::NotReachable { address, .. } if address.starts_with("tcp://") => {
                return Some(format!(
                    "Check that the engine listens at `{address}`: an engine beside the agent, such as `docker:dind`, needs some seconds to start"
                ));
            }
            Self::NotReachable { .. } => {
                "Start the engine with `sudo systemctl enable --now docker`, or run the job on an agent that has one"
            }
            Self::NotPermitted { .. } => {
                "Run `sudo usermod -aG docker $(whoami)` as the agent's user and restart the agent"
            }
            Self::ContainerJob { .. } => {
                "Set `mapDockerSocket: true` in the job's `container` (agents from 5.279 on do not map the socket by themselves), run the step with `target: host`, or set `DOCKER_HOST` to an engine that the container reaches"
            }
            Self::Tls { source, .. } => return Some(source.hint()),
            Self::Rootless { .. } => {
                "Run the job on an agent whose Docker Engine runs as root; `DOCKER_HOST` chooses it where there are two"
            }
            Self::WindowsContainers { .. } => "Run the job on a Linux agent",
            Self::Podman { .. } => {
                "Install Docker Engine, or set `DOCKER_HOST` to its socket if it is there beside podman"
            }
            Self::Incomplete { .. } => INCOMPLETE,
            Self::Pull { image, source } => return pull_hint(source.reason, image),
            Self::ContainerTooSlow { .. } => {
                "Look at the container's last lines above; an agent under heavy load may only need another run"
            }
            Self::Request { source, .. } => return source.reason.hint(""),
        };
        Some(hint.to_owned())
    }
}

/// Advice on a pull that failed, with the image's own values.
fn pull_hint(reason: Reason, image: &str) -> Option<String> {
    let Some((host, rest)) = image.split_once('/') else {
        return reason.hint("");
    };
    let name = rest.split(['@', ':']).next().unwrap_or_default();
    let repository = Repository::new(host, name);
    match (reason, repository.ecr()) {
        (Reason::RepositoryUnknown, _) => Some(repository.creation_hint()),
        (Reason::ManifestUnknown, _) => Some(repository.listing_hint()),
        (Reason::Denied | Reason::Forbidden, Some(ecr)) => {
            Some(allow(&READ_IMAGE, &ecr.repository_arn(name)))
        }
        (Reason::RateLimited, _) => Some(format!(
            "Wait and run again, or copy the image into your own registry, as with `crane copy {image} COPY`, and name the copy in the input that has it"
        )),
        _ => reason.hint(host),
    }
}

impl From<Fault> for bollard::errors::Error {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::Connect(err) => Self::IOError { err },
            Fault::Tls(fault) => Self::IOError {
                err: io::Error::other(fault),
            },
            other => Self::IOError {
                err: io::Error::other(other.into_refusal().message),
            },
        }
    }
}
