//! The files of a client, as the Docker CLI names them: `ca.pem`, `cert.pem` and `key.pem`.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ClientConfig, RootCertStore};
use tokio::time::Instant;

use super::fault::TlsFault;
use crate::adapters::http::trust;

/// Longest wait for files that are not there yet or not whole: a sidecar makes them after the pod has started.
const LATE: Duration = Duration::from_secs(10);

/// Longest wait for a client certificate where the authority's is there. Not every engine demands one.
const CERTIFICATE_LATE: Duration = Duration::from_secs(2);

const BETWEEN: Duration = Duration::from_millis(200);

/// A client's side of TLS.
#[derive(Clone, Debug)]
pub(in crate::adapters::engine) struct ClientTls {
    /// It trusts the authority in `ca.pem` alone.
    pub(in crate::adapters::engine) config: Arc<ClientConfig>,
    /// True if it has a certificate to show.
    pub(in crate::adapters::engine) has_certificate: bool,
}

/// Reads the files, and waits for late ones.
pub(in crate::adapters::engine) async fn load(folder: &Path) -> Result<ClientTls, TlsFault> {
    let started = Instant::now();
    loop {
        let waited = started.elapsed();
        match read(folder) {
            Ok(tls) if tls.has_certificate || waited >= CERTIFICATE_LATE => return Ok(tls),
            Err(fault) if waited >= LATE => return Err(fault),
            Ok(_) | Err(_) => tokio::time::sleep(BETWEEN).await,
        }
    }
}

fn read(folder: &Path) -> Result<ClientTls, TlsFault> {
    let [ca, cert, key] = ["ca.pem", "cert.pem", "key.pem"].map(|name| folder.join(name));
    let mut roots = RootCertStore::empty();
    let missing = |path: &Path| TlsFault::FileMissing {
        path: path.to_owned(),
    };
    let authorities = bytes(&ca)?.ok_or_else(|| missing(&ca))?;
    for authority in certificates(&ca, &authorities)? {
        roots
            .add(authority)
            .map_err(|error| unusable(&ca, &error))?;
    }
    let builder = trust::config_builder().map_err(|error| unusable(&ca, &error))?;
    let builder = builder.with_root_certificates(roots);
    let (config, has_certificate) = match (bytes(&cert)?, bytes(&key)?) {
        (None, None) => (builder.with_no_client_auth(), false),
        (None, Some(_)) => return Err(missing(&cert)),
        (Some(_), None) => return Err(missing(&key)),
        (Some(chain), Some(text)) => {
            let chain = certificates(&cert, &chain)?;
            let private =
                PrivateKeyDer::from_pem_slice(&text).map_err(|error| unusable(&key, &error))?;
            let config = builder.with_client_auth_cert(chain, private);
            let config = config.map_err(|error| match error {
                rustls::Error::InconsistentKeys(_) => TlsFault::KeyMismatch { key: key.clone() },
                other => unusable(&key, &other),
            })?;
            (config, true)
        }
    };
    Ok(ClientTls {
        config: Arc::new(config),
        has_certificate,
    })
}

/// The content of a file; none if it is not there.
fn bytes(path: &Path) -> Result<Option<Vec<u8>>, TlsFault> {
    match std::fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn certificates(path: &Path, text: &[u8]) -> Result<Vec<CertificateDer<'static>>, TlsFault> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(text).collect();
    match read {
        Ok(certificates) if certificates.is_empty() => Err(TlsFault::FileUnusable {
            path: path.to_owned(),
            why: "it holds no certificate".to_owned(),
        }),
        Ok(certificates) => Ok(certificates),
        Err(error) => Err(unusable(path, &error)),
    }
}

fn unusable(path: &Path, error: &dyn std::error::Error) -> TlsFault {
    TlsFault::FileUnusable {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::{CERTIFICATE_LATE, LATE, load};
    use crate::test_support::certificates::Authority;
    use std::path::Path;
    use tokio::time::Instant;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            write(folder.path(), name, text);
        }
        folder
    }

    fn write(folder: &Path, name: &str, text: &str) {
        std::fs::write(folder.join(name), text).expect("a file");
    }

    #[tokio::test(start_paused = true)]
    async fn each_fault_of_the_files_is_named_after_a_bounded_wait() {
        let authority = Authority::new();
        let (cert, key) = authority.certificate("client", |_| {});
        let (_, other_key) = authority.certificate("client", |_| {});
        let ca = ("ca.pem", authority.pem());
        let cert = ("cert.pem", cert.as_str());
        for (files, expected) in [
            (vec![], "ca.pem` does not exist"),
            (
                vec![("ca.pem", "")],
                "ca.pem` cannot be used: it holds no certificate",
            ),
            (
                vec![("ca.pem", "-----BEGIN CERTIFICATE-----\nx")],
                "ca.pem` cannot be used: ",
            ),
            (vec![ca, cert], "key.pem` does not exist"),
            (vec![ca, ("key.pem", &key)], "cert.pem` does not exist"),
            (
                vec![ca, cert, ("key.pem", "no key")],
                "key.pem` cannot be used: ",
            ),
            (
                vec![ca, cert, ("key.pem", &other_key)],
                "does not belong to the certificate",
            ),
        ] {
            let folder = folder(&files);
            let started = Instant::now();
            let fault = load(folder.path()).await.expect_err(expected).to_string();
            assert!(fault.contains(expected), "{fault}");
            assert!(started.elapsed() >= LATE && started.elapsed() < LATE * 2);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn files_that_come_late_are_read() {
        let authority = Authority::new();
        let (cert, key) = authority.certificate("client", |_| {});
        let folder = folder(&[]);
        let path = folder.path().to_owned();
        let writing = tokio::spawn(async move {
            // In the order in which `docker:dind` writes them, one of them in two parts.
            write(&path, "key.pem", &key[..key.len() / 2]);
            tokio::time::sleep(LATE / 4).await;
            write(&path, "key.pem", &key);
            write(&path, "cert.pem", &cert);
            tokio::time::sleep(LATE / 4).await;
            write(&path, "ca.pem", authority.pem());
        });
        let tls = load(folder.path()).await.expect("all files");
        assert!(tls.has_certificate);
        writing.await.expect("no panic");
    }

    #[tokio::test(start_paused = true)]
    async fn an_authority_alone_is_enough_after_a_short_wait() {
        let folder = folder(&[("ca.pem", Authority::new().pem())]);
        let started = Instant::now();
        let tls = load(folder.path()).await.expect("an authority");
        assert!(!tls.has_certificate);
        assert!(started.elapsed() >= CERTIFICATE_LATE && started.elapsed() < LATE);
    }
}
