use std::time::Duration;
use std::{fmt, io};

use super::reason::{Reason, wants_tls};
use crate::adapters::engine::limits::ANSWER_LIMIT;
use crate::adapters::engine::tls::fault::TlsFault;
use crate::adapters::http::connection::find;

/// Message of the engine about a request that failed, and what is understood of it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EngineRefusal {
    /// Its meaning.
    pub reason: Reason,
    /// The engine's own words.
    pub message: String,
}

/// Failure of a request, before its purpose is known.
#[derive(Debug)]
pub enum Fault {
    /// The connection failed before a request was sent.
    Connect(io::Error),
    /// The two sides do not agree on TLS.
    Tls(TlsFault),
    /// The engine refused, with the status if it came in time to tell it.
    Refused {
        status: Option<u16>,
        message: String,
    },
    /// The connection broke or what came over it cannot be read.
    Broken(String),
    /// Nothing came for this long.
    TimedOut(Duration),
}

impl Fault {
    pub fn broken(error: impl fmt::Display) -> Self {
        Self::Broken(error.to_string())
    }

    /// A refusal with its body: `{"message": …}`, or whatever a proxy on the way writes.
    pub fn status(status: u16, body: &[u8]) -> Self {
        let text = String::from_utf8_lossy(body);
        let json: Option<serde_json::Value> = serde_json::from_str(&text).ok();
        let message = json
            .as_ref()
            .and_then(|json| json["message"].as_str())
            .unwrap_or(text.trim());
        Self::refused(status, message)
    }

    fn refused(status: u16, message: &str) -> Self {
        if wants_tls(message) {
            return Self::Tls(TlsFault::TlsExpected);
        }
        Self::Refused {
            status: Some(status),
            message: message.to_owned(),
        }
    }

    pub fn into_refusal(self) -> EngineRefusal {
        let (reason, message) = match self {
            Self::Connect(error) => (Reason::ConnectionLost, error.to_string()),
            Self::Refused { status, message } => {
                let reason = Reason::of(status, &message);
                (reason, described(status, &message))
            }
            Self::Tls(fault) => (Reason::Other, fault.to_string()),
            Self::Broken(message) => (Reason::ConnectionLost, message),
            Self::TimedOut(limit) => {
                let message = format!("nothing came from the engine for {} s", limit.as_secs());
                (Reason::TimedOut, message)
            }
        };
        EngineRefusal { reason, message }
    }
}

/// An empty message says nothing, so the status stands in for it.
fn described(status: Option<u16>, message: &str) -> String {
    match status {
        _ if !message.trim().is_empty() => message.trim().to_owned(),
        Some(status) => format!("the engine answers with status {status} and no message"),
        None => "the engine reports an error without a message".to_owned(),
    }
}

impl From<TlsFault> for Fault {
    fn from(fault: TlsFault) -> Self {
        Self::Tls(fault)
    }
}

impl From<bollard::errors::Error> for Fault {
    fn from(error: bollard::errors::Error) -> Self {
        use bollard::errors::Error;
        match error {
            Error::DockerResponseServerError {
                status_code,
                message,
            } => Self::refused(status_code, &message),
            Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => {
                Self::Refused {
                    status: None,
                    message: error,
                }
            }
            Error::RequestTimeoutError => Self::TimedOut(ANSWER_LIMIT),
            // Only `Wire` makes errors of another kind than these, and only when it cannot connect.
            Error::IOError { err } if err.kind() != io::ErrorKind::Other => Self::Connect(err),
            Error::IOError { err } => match find::<TlsFault>(&err) {
                Some(fault) => Self::Tls(fault.clone()),
                None => Self::broken(err),
            },
            other => Self::broken(other),
        }
    }
}
