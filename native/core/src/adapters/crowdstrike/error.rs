//! Failures of asking CrowdStrike for a sensor.

use crate::adapters::http::connection::connection_hint;
use crate::domain::falcon::region::Region;
use crate::domain::reference::tag::Tag;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// Reason that CrowdStrike did not give what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FalconError {
    /// No client could be made; the agent trusts no certificate authority.
    #[error("Cannot connect to CrowdStrike: no trusted certificate authority was found")]
    NoTrust {
        /// Flaw in the store.
        source: Cause,
    },
    /// No answer came.
    #[error("CrowdStrike's API `{host}` does not answer")]
    NotReachable {
        /// The API's host.
        host: String,
        /// True if TLS is the trouble.
        tls: bool,
        /// Failure that happened instead.
        source: Cause,
    },
    /// The API does not know the client.
    #[error("CrowdStrike's API `{host}` refuses the API client")]
    ClientRefused {
        /// The API's host.
        host: String,
        /// Its message.
        source: Cause,
    },
    /// Too many sign-ins were tried.
    #[error("CrowdStrike accepts no more sign-ins for now from this client, at `{host}`")]
    LockedOut {
        /// The host.
        host: String,
        /// Its message.
        source: Cause,
    },
    /// The client may not do this.
    #[error("The API client lacks the scope `{scope}`")]
    ScopeMissing {
        /// The scope as the Falcon console shows it.
        scope: &'static str,
        /// Message of the API.
        source: Cause,
    },
    /// The tenant is in another cloud.
    #[error("The API client belongs to the cloud `{actual}`, and `{asked}` was asked")]
    RegionMismatch {
        /// The cloud that was asked.
        asked: &'static str,
        /// The cloud that the API names.
        actual: String,
    },
    /// The answer is not what it must be.
    #[error("The answer of CrowdStrike's API `{host}` cannot be used")]
    AnswerInvalid {
        /// The API's host.
        host: String,
        /// Flaw in it.
        source: Cause,
    },
    /// The API answered with another error.
    #[error("CrowdStrike's API `{host}` refuses the request")]
    RequestFailed {
        /// The API's host.
        host: String,
        /// Its message.
        source: Cause,
    },
    /// The registry refuses the password that the API gave.
    #[error("CrowdStrike's registry `{host}` refuses the sign-in")]
    RegistryRefused {
        /// The registry's host.
        host: String,
        /// Its message.
        source: Cause,
    },
    /// There is no such sensor.
    #[error("CrowdStrike's registry `{host}` has no sensor `{wanted}`")]
    VersionNotFound {
        /// The registry's host.
        host: String,
        /// Sensor that was asked for.
        wanted: String,
        /// The versions nearest to it.
        nearest: Vec<Tag>,
    },
    /// The mirror has something else under the sensor's tag.
    #[error("`{image}` is not the sensor that CrowdStrike has under this tag")]
    MirrorConflict {
        /// The image in the mirror.
        image: String,
        /// The two digests.
        source: Cause,
    },
}

impl FalconError {
    /// Problem that a failure of CrowdStrike's registry means; others keep their own code.
    pub(crate) fn of_registry(host: &str, problem: Problem) -> Problem {
        if problem.code != Code::RegistryDenied {
            return problem;
        }
        let said = problem.why.join(": ");
        let (host, source) = (host.to_owned(), Cause::said(&said));
        if says_locked(&said) {
            Self::LockedOut { host, source }.into()
        } else {
            Self::RegistryRefused { host, source }.into()
        }
    }
}

/// Returns true if a refusal is about how often one tried.
pub(super) fn says_locked(text: &str) -> bool {
    let text = text.to_ascii_lowercase();
    ["locked", "lockout", "lock-out", "too many"]
        .iter()
        .any(|word| text.contains(word))
}

impl Explain for FalconError {
    fn code(&self) -> Code {
        match self {
            Self::NoTrust { .. } | Self::NotReachable { .. } => Code::FalconNotReachable,
            Self::ClientRefused { .. } => Code::FalconClientRefused,
            Self::LockedOut { .. } => Code::FalconLockedOut,
            Self::ScopeMissing { .. } => Code::FalconScopeMissing,
            Self::RegionMismatch { .. } => Code::FalconRegionMismatch,
            Self::AnswerInvalid { .. } => Code::FalconAnswerInvalid,
            Self::RequestFailed { .. } => Code::FalconRequestFailed,
            Self::RegistryRefused { .. } => Code::FalconRegistryRefused,
            Self::VersionNotFound { .. } => Code::FalconSensorVersionNotFound,
            Self::MirrorConflict { .. } => Code::FalconMirrorConflict,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoTrust { .. } => "Install the agent's certificate authorities (package `ca-certificates`), or name a file that holds them in `SSL_CERT_FILE`".to_owned(),
            Self::NotReachable { host, tls, .. } => connection_hint(host, *tls),
            Self::ClientRefused { .. } => "Check the ID and the secret of the API client (`falconConnection`, or `falconClientId` and `falconClientSecret`) in the Falcon console (Support and resources > API clients and keys), and set `falconRegion` if the tenant is in a government cloud; the sign-in was not tried again, since CrowdStrike locks out who fails too often".to_owned(),
            Self::LockedOut { .. } => "Wait half an hour before the next run, and correct what was refused before".to_owned(),
            Self::ScopeMissing { scope, .. } => format!("Add the scope `{scope}` to the API client in the Falcon console (Support and resources > API clients and keys)"),
            Self::RegionMismatch { actual, .. } => match Region::named(actual) {
                Some(region) => format!("Set `falconRegion: {}`, or the cloud of `falconConnection`", region.name()),
                None => "Set `falconApiUrl` and `falconRegistry` to the hosts of your tenant's cloud".to_owned(),
            },
            Self::AnswerInvalid { .. } | Self::RequestFailed { .. } => "Run the step again; if it fails again, look at https://status.crowdstrike.com, and check `falconApiUrl` if it is set".to_owned(),
            Self::RegistryRefused { .. } => "Check that the tenant has the container sensor and the API client the scope `Falcon Images Download: Read`; the sign-in was not tried again, since the registry locks out who fails too often".to_owned(),
            Self::VersionNotFound { nearest, .. } => match nearest.as_slice() {
                [] => "There is no sensor for several architectures at all: check `falconRegion` and, if it is set, `falconRegistry`".to_owned(),
                nearest => {
                    let nearest: Vec<String> = nearest.iter().map(|tag| format!("`{tag}`")).collect();
                    format!("Set `sensorVersion` to one that is there; the nearest are {}", nearest.join(", "))
                }
            },
            Self::MirrorConflict { image, .. } => format!("Set `sensorMirror` to a repository of its own, or delete `{image}` if nobody needs it; the task does not overwrite what it did not put there"),
        })
    }
}
