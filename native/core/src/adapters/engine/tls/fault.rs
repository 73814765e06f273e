use std::error::Error;
use std::path::{Path, PathBuf};

use rustls::{AlertDescription, CertificateError, InvalidMessage};

use crate::adapters::http::connection::find;

/// Fault of TLS between this process and the engine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TlsFault {
    /// A file is not there.
    #[error("`{path}` does not exist", path = path.display())]
    FileMissing {
        /// The file.
        path: PathBuf,
    },
    /// A file is there and cannot be used.
    #[error("`{path}` cannot be used: {why}", path = path.display())]
    FileUnusable {
        /// The file.
        path: PathBuf,
        /// The reason.
        why: String,
    },
    /// Certificate and key do not belong together.
    #[error("the key in `{key}` does not belong to the certificate beside it", key = key.display())]
    KeyMismatch {
        /// The file of the key.
        key: PathBuf,
    },
    /// The engine's certificate is signed by another authority.
    #[error("the engine's certificate is not signed by the authority in `{ca}`", ca = ca.display())]
    Untrusted {
        /// The file of the authority.
        ca: PathBuf,
    },
    /// The engine's certificate is for other names.
    #[error("the engine's certificate is not valid for `{host}`, but for {names}")]
    WrongName {
        /// The name in `DOCKER_HOST`.
        host: String,
        /// The names in the certificate.
        names: String,
    },
    /// The engine's certificate has expired.
    #[error("the engine's certificate has expired")]
    Expired,
    /// The engine's certificate is not valid yet.
    #[error("the engine's certificate is not valid yet")]
    NotValidYet,
    /// The engine demands a client certificate, and there is none.
    #[error("the engine demands a client certificate, and `{path}` does not exist", path = path.display())]
    CertificateWanted {
        /// The file where it is expected.
        path: PathBuf,
    },
    /// The engine does not accept the client certificate.
    #[error("the engine does not accept the client certificate in `{path}` (alert {alert})", path = path.display())]
    CertificateRefused {
        /// The file of the certificate.
        path: PathBuf,
        /// Name of the alert that the engine sent.
        alert: String,
    },
    /// The port answers without TLS.
    #[error("the engine answers without TLS")]
    NotTls,
    /// The port expects TLS.
    #[error("the engine expects TLS")]
    TlsExpected,
    /// Something else failed.
    #[error("the TLS connection failed: {0}")]
    Other(String),
}

/// Side of this process in a connection.
#[derive(Clone, Copy)]
pub(in crate::adapters::engine) struct ClientSide<'a> {
    /// Folder of the files.
    pub(in crate::adapters::engine) folder: &'a Path,
    /// Name of the engine in `DOCKER_HOST`.
    pub(in crate::adapters::engine) host: &'a str,
    /// True if a client certificate is sent.
    pub(in crate::adapters::engine) has_certificate: bool,
}

impl TlsFault {
    /// Looks for a fault of TLS in the error of a connection.
    pub(in crate::adapters::engine) fn of(
        error: &(dyn Error + 'static),
        client: ClientSide<'_>,
    ) -> Option<Self> {
        Some(match find::<rustls::Error>(error)? {
            rustls::Error::InvalidCertificate(error) => certificate(error, client),
            rustls::Error::AlertReceived(alert) => refusal(*alert, client),
            rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType) => Self::NotTls,
            other => Self::Other(other.to_string()),
        })
    }

    /// Advice.
    #[must_use]
    pub fn hint(&self) -> String {
        match self {
            Self::FileMissing { .. } => "Set `DOCKER_CERT_PATH` to a folder with `ca.pem`, `cert.pem` and `key.pem`; those of `docker:dind` are in `/certs/client`, a volume that the agent's container must mount too",
            Self::FileUnusable { .. } => "Let the agent's user read the file, which holds PEM without a passphrase",
            Self::KeyMismatch { .. } | Self::Untrusted { .. } => "Take `ca.pem`, `cert.pem` and `key.pem` from this engine and from the same folder; `docker:dind` makes new ones when its volume is empty",
            Self::WrongName { .. } => "Set `DOCKER_HOST` to a name of the engine's certificate, or give the engine a certificate for this name",
            Self::Expired | Self::NotValidYet => "Renew the engine's certificate (`docker:dind` does so when it starts), and compare the clocks of agent and engine",
            Self::CertificateWanted { path } => return format!("Put `cert.pem` and `key.pem`, signed by an authority that the engine trusts, into `{}`", path.parent().unwrap_or(path).display()),
            Self::CertificateRefused { .. } => "Take `cert.pem` and `key.pem` from this engine, or renew them; the engine's log says what it does not accept",
            Self::NotTls => "Unset `DOCKER_TLS_VERIFY` and `DOCKER_TLS`, or set `DOCKER_HOST` to the engine's TLS port, which is usually 2376",
            Self::TlsExpected => "Set `DOCKER_TLS_VERIFY` to `1` and `DOCKER_CERT_PATH` to the folder with `ca.pem`, `cert.pem` and `key.pem`",
            Self::Other(_) => "Compare with `docker version`, run by the agent's user with the same variables",
        }
        .to_owned()
    }
}

fn certificate(error: &CertificateError, client: ClientSide<'_>) -> TlsFault {
    let ca = || client.folder.join("ca.pem");
    match error {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            TlsFault::Untrusted { ca: ca() }
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => TlsFault::Expired,
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
            TlsFault::NotValidYet
        }
        CertificateError::NotValidForName => wrong_name(client, &[]),
        CertificateError::NotValidForNameContext { presented, .. } => wrong_name(client, presented),
        other => TlsFault::Other(other.to_string()),
    }
}

fn wrong_name(client: ClientSide<'_>, presented: &[String]) -> TlsFault {
    let names: Vec<String> = presented.iter().map(|name| format!("`{name}`")).collect();
    TlsFault::WrongName {
        host: client.host.to_owned(),
        names: if names.is_empty() {
            "other names".to_owned()
        } else {
            names.join(", ")
        },
    }
}

/// Understands an alert. TLS 1.3 has one for a missing client certificate, and Go sends `BadCertificate` for it in TLS 1.2.
fn refusal(alert: AlertDescription, client: ClientSide<'_>) -> TlsFault {
    let path = client.folder.join("cert.pem");
    let is_about_certificate = matches!(
        alert,
        AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateExpired
            | AlertDescription::CertificateRevoked
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::NoCertificate
            | AlertDescription::UnknownCA
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError
    );
    match (is_about_certificate, client.has_certificate) {
        (true, true) => TlsFault::CertificateRefused {
            path,
            alert: format!("{alert:?}"),
        },
        (true, false) => TlsFault::CertificateWanted { path },
        (false, _) => TlsFault::Other(format!("the engine sent the alert {alert:?}")),
    }
}

#[cfg(test)]
mod tests {
    use super::{ClientSide, TlsFault};
    use rustls::{AlertDescription, CertificateError, Error, InvalidMessage};
    use std::io;

    fn fault(error: Error, has_certificate: bool) -> TlsFault {
        let client = ClientSide {
            folder: "/certs/client".as_ref(),
            host: "localhost",
            has_certificate,
        };
        let error = io::Error::other(io::Error::other(error));
        TlsFault::of(&error, client).expect("a fault of TLS")
    }

    #[test]
    fn each_fault_has_its_own_sentence() {
        let names = CertificateError::NotValidForNameContext {
            expected: "localhost".try_into().expect("a name"),
            presented: vec!["docker".to_owned(), "10.0.0.2".to_owned()],
        };
        for (error, sentence) in [
            (
                Error::InvalidCertificate(CertificateError::UnknownIssuer),
                "the engine's certificate is not signed by the authority in `/certs/client/ca.pem`",
            ),
            (
                Error::InvalidCertificate(names),
                "the engine's certificate is not valid for `localhost`, but for `docker`, `10.0.0.2`",
            ),
            (
                Error::InvalidCertificate(CertificateError::Expired),
                "the engine's certificate has expired",
            ),
            (
                Error::InvalidCertificate(CertificateError::NotValidYet),
                "the engine's certificate is not valid yet",
            ),
            (
                Error::InvalidMessage(InvalidMessage::InvalidContentType),
                "the engine answers without TLS",
            ),
            (
                Error::AlertReceived(AlertDescription::ProtocolVersion),
                "the TLS connection failed: the engine sent the alert ProtocolVersion",
            ),
        ] {
            assert_eq!(fault(error, true).to_string(), sentence);
        }
    }

    #[test]
    fn an_alert_about_a_certificate_depends_on_the_one_that_was_sent() {
        for alert in [
            AlertDescription::CertificateRequired,
            AlertDescription::BadCertificate,
            AlertDescription::UnknownCA,
        ] {
            let wanted = fault(Error::AlertReceived(alert), false).to_string();
            assert_eq!(
                wanted,
                "the engine demands a client certificate, and `/certs/client/cert.pem` does not exist"
            );
            let refused = fault(Error::AlertReceived(alert), true).to_string();
            assert!(
                refused.starts_with(
                    "the engine does not accept the client certificate in `/certs/client/cert.pem`"
                ),
                "{refused}"
            );
        }
    }

    #[test]
    fn a_connection_that_breaks_has_no_fault_of_tls() {
        let client = ClientSide {
            folder: "/certs".as_ref(),
            host: "localhost",
            has_certificate: true,
        };
        let reset = io::Error::from(io::ErrorKind::ConnectionReset);
        assert_eq!(TlsFault::of(&reset, client), None);
    }
}
