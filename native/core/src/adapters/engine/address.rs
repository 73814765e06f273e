//! Address where the engine listens, as `DOCKER_HOST` says it.

use std::fmt;
use std::path::{Path, PathBuf};

use super::error::failure::EngineError;
use crate::domain::address::is_loopback_host;

/// The socket of an engine whose address nobody set.
const DEFAULT_SOCKET: &str = "/var/run/docker.sock";

/// The port of an engine without TLS, when an address names none.
const PLAIN_PORT: u16 = 2375;

/// The port of an engine with TLS, when an address names none.
const TLS_PORT: u16 = 2376;

/// Address where the engine listens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Address {
    /// A Unix socket.
    Socket(PathBuf),
    /// A port.
    Port {
        /// Name or address of the host.
        host: String,
        /// The port.
        port: u16,
        /// Folder of the client's files for TLS; none for plain TCP, which is on this machine's loopback interface.
        certificates: Option<PathBuf>,
    },
}

impl Address {
    /// Reads `DOCKER_HOST`. `certificates` is the folder of the client's files where the environment asks for TLS.
    ///
    /// Anyone who reaches an engine is root on its machine. So an address of another machine is refused without TLS:
    /// anyone on the way could take the registry token.
    pub(super) fn parse(
        docker_host: Option<&str>,
        certificates: Option<&Path>,
    ) -> Result<Self, EngineError> {
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
            "tcp" | "http" => {
                let (host, port, is_loopback) =
                    host_and_port(rest, certificates.is_some()).ok_or_else(unsupported)?;
                if !is_loopback && certificates.is_none() {
                    return Err(EngineError::AddressRemote {
                        address: text.to_owned(),
                    });
                }
                Ok(Self::Port {
                    host,
                    port,
                    certificates: certificates.map(Path::to_owned),
                })
            }
            _ => Err(unsupported()),
        }
    }

    /// True for an address that is reached by TLS.
    pub(super) fn is_by_tls(&self) -> bool {
        matches!(
            self,
            Self::Port {
                certificates: Some(_),
                ..
            }
        )
    }

    /// The socket, if there is one.
    pub(super) fn socket(&self) -> Option<&Path> {
        match self {
            Self::Socket(path) => Some(path),
            Self::Port { .. } => None,
        }
    }
}

/// Host, port, and true for this machine's loopback interface; none for anything but a host with a port.
fn host_and_port(rest: &str, by_tls: bool) -> Option<(String, u16, bool)> {
    let url = url::Url::parse(&format!("http://{rest}")).ok()?;
    let is_plain = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    let is_loopback = is_loopback_host(&url.host()?);
    // `Url` leaves out the port that HTTP has by default, so 80 must be looked for in the text.
    let names_80 = rest.trim_end_matches('/').ends_with(":80");
    let usual = if by_tls { TLS_PORT } else { PLAIN_PORT };
    let port = url.port().unwrap_or(if names_80 { 80 } else { usual });
    let host = url.host_str()?.to_owned();
    (is_plain && is_anonymous).then_some((host, port, is_loopback))
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Socket(path) => write!(f, "unix://{}", path.display()),
            Self::Port { host, port, .. } => write!(f, "tcp://{host}:{port}"),
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
            let address = Address::parse(text, None).expect(expected);
            assert_eq!(address.to_string(), expected, "{text:?}");
        }
    }

    #[test]
    fn addresses_by_tls() {
        let certificates = Some("/certs/client".as_ref());
        for (text, expected) in [
            ("tcp://localhost:2376", "tcp://localhost:2376"),
            ("tcp://127.0.0.1", "tcp://127.0.0.1:2376"),
            ("tcp://docker:2376", "tcp://docker:2376"),
            ("tcp://10.0.0.5", "tcp://10.0.0.5:2376"),
        ] {
            let address = Address::parse(Some(text), certificates).expect(expected);
            assert_eq!(address.to_string(), expected);
            assert!(address.is_by_tls(), "{address:?}");
        }
        // The socket of this machine needs no TLS, whatever else the environment says.
        let socket = Address::parse(None, certificates).expect("the default socket");
        assert!(socket.socket().is_some() && !socket.is_by_tls());
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
            let error = Address::parse(Some(text), None).expect_err(text);
            assert_eq!(error.code(), Code::EngineRemote, "{text}");
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
