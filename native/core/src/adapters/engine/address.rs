//! Address where the engine listens, as `DOCKER_HOST` says it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::failure::EngineError;
use crate::domain::address::is_loopback_host;

/// The socket of an engine whose address nobody set.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The port of an engine without TLS, when an address names none.
const PLAIN_PORT: u16 = 2375;

/// Address where the engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A Unix socket.
    Socket(PathBuf),
    /// A port of this machine's loopback interface, without TLS.
    Loopback {
        /// `localhost` or an address of the loopback interface.
        host: String,
        /// The port.
        port: u16,
    },
}

impl Address {
    /// Reads `DOCKER_HOST`. Anyone who reaches an engine is root on its machine, so an address that is neither a
    /// socket nor loopback is refused: without TLS anyone on the way could take the registry token.
    pub(super) fn parse(docker_host: Option<&str>) -> Result<Self, EngineError> {
        let text = docker_host.map(str::trim).unwrap_or_default();
        if text.is_empty() {
            return Ok(Self::Socket(DEFAULT_SOCKET.into()));
        }
        let unsupported = || EngineError::AddressUnsupported {
            address: text.to_owned(),
        };
        let (scheme, rest) = text.split_once("://").ok_or_else(unsupported)?;
        match scheme {
            "unix" if rest.starts_with('/') => Ok(Self::Socket(rest.into())),
            "tcp" | "http" => Self::loopback(rest).ok_or_else(|| EngineError::AddressRemote {
                address: text.to_owned(),
            }),
            _ => Err(unsupported()),
        }
    }

    fn loopback(rest: &str) -> Option<Self> {
        let url = url::Url::parse(&format!("http://{rest}")).ok()?;
        let is_loopback = is_loopback_host(&url.host()?);
        // `Url` leaves out the port that HTTP has by default, so 80 must be looked for in the text.
        let names_80 = rest.trim_end_matches('/').ends_with(":80");
        let port = url.port().unwrap_or(if names_80 { 80 } else { PLAIN_PORT });
        let host = url.host_str()?.to_owned();
        (is_loopback && url.path() == "/").then_some(Self::Loopback { host, port })
    }

    /// The socket, if there is one.
    pub(super) fn socket(&self) -> Option<&Path> {
        match self {
            Self::Socket(path) => Some(path),
            Self::Loopback { .. } => None,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Loopback { host, port } => write!(f, "tcp://{host}:{port}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Address;
    use crate::report::code::Code;
    use crate::report::problem::Explain;

    #[test]
    fn addresses_that_are_used() {
        for (text, expected) in [
            (None, "unix:///var/run/docker.sock"),
            (Some(""), "unix:///var/run/docker.sock"),
            (
                Some("unix:///run/user/1/docker.sock"),
                "unix:///run/user/1/docker.sock",
            ),
            (Some("tcp://127.0.0.1:2376"), "tcp://127.0.0.1:2376"),
            (Some("tcp://127.1.2.3"), "tcp://127.1.2.3:2375"),
            (Some("http://localhost:80/"), "tcp://localhost:80"),
            (Some("tcp://[::1]:2375"), "tcp://[::1]:2375"),
        ] {
            let address = Address::parse(text).expect(expected);
            assert_eq!(address.to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn addresses_that_are_refused() {
        for text in [
            "tcp://10.0.0.5:2375",
            "tcp://docker:2375",
            "tcp://127.0.0.1.example.com:2375",
            "tcp://user@example.com@127.0.0.1:2375/v1",
            "tcp://",
            "https://127.0.0.1:2376",
            "ssh://me@build",
            "npipe:////./pipe/docker_engine",
            "fd://",
            "unix://docker.sock",
            "/var/run/docker.sock",
        ] {
            let error = Address::parse(Some(text)).expect_err(text);
            assert_eq!(error.code(), Code::EngineRemote, "{text}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
