//! The certificate authorities that the agent trusts, for every client.

use std::env;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ConfigBuilder, RootCertStore, WantsVerifier};

use crate::report::cause::Cause;

/// Names a file of authorities that are trusted beside the others.
///
/// `SSL_CERT_FILE` replaces the system's store, which is not what the authority of somebody's own
/// server is given for.
const BESIDE: &str = "FALCON_PATCH_CA_FILE";

/// TLS on ring, named here so that no process-wide default is needed or changed.
pub fn config_builder() -> Result<ConfigBuilder<ClientConfig, WantsVerifier>, rustls::Error> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions()
}

/// TLS for clients that trust the agent's authorities and show no certificate.
pub fn client_config() -> Result<ClientConfig, Cause> {
    let config = config_builder().map_err(|error| Cause::of(&error))?;
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(authorities(file_beside().as_deref())?);
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

/// The same authorities in the form that the AWS SDK's client takes.
///
/// Left to itself it reads the system's store once more, cannot be given a file beside it, and
/// panics in debug builds when there are none.
pub fn pem() -> Result<Vec<u8>, Cause> {
    let texts = authorities(file_beside().as_deref())?
        .into_iter()
        .map(|authority| {
            format!(
                "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
                STANDARD.encode(authority)
            )
        });
    Ok(texts.collect::<String>().into_bytes())
}

fn file_beside() -> Option<PathBuf> {
    let name = env::var_os(BESIDE).filter(|name| !name.is_empty())?;
    Some(PathBuf::from(name))
}

/// Reads the system's store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead of it
/// (<https://docs.rs/rustls-native-certs>), and what is trusted beside it. There is at least one.
fn authorities(beside: Option<&Path>) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let found = rustls_native_certs::load_native_certs();
    let mut all = found.certs;
    if let Some(path) = beside {
        all.extend(read(path)?);
    }
    // A store may hold certificates that no longer parse; they are of no use to anyone.
    all.retain(|authority| RootCertStore::empty().add(authority.clone()).is_ok());
    if !all.is_empty() {
        return Ok(all);
    }
    Err(found.errors.first().map_or_else(
        || Cause::said("the system's certificate store is empty"),
        |error| Cause::of(error),
    ))
}

fn read(path: &Path) -> Result<Vec<CertificateDer<'static>>, Cause> {
    let failed = |why: &str| {
        Cause::said(&format!(
            "the certificate authorities in `{}` cannot be read: {why}",
            path.display()
        ))
    };
    let read = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    match read {
        Ok(authorities) if authorities.is_empty() => Err(failed("it holds none")),
        Ok(authorities) => Ok(authorities),
        Err(error) => Err(failed(&error.to_string())),
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn a_file_without_authorities_is_named_instead_of_ignored() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ca.pem");
        for text in [None, Some("no certificate\n")] {
            if let Some(text) = text {
                std::fs::write(&path, text).expect("a file");
            }
            let cause = read(&path).expect_err("no authorities").to_string();
            assert!(cause.contains("ca.pem` cannot be read: "), "{cause}");
        }
    }
}
