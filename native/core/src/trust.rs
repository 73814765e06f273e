//! The certificate authorities that the agent trusts.

use std::sync::Arc;

use rustls::{ClientConfig, RootCertStore};

use crate::cause::Cause;

/// Reads the system's store, or what `SSL_CERT_FILE` and `SSL_CERT_DIR` name instead of it.
///
/// The AWS SDK's client reads the same ones by the same library
/// (<https://docs.rs/rustls-native-certs>), but trusts nobody, and panics in debug builds, when
/// there are none; so whoever opens a client asks here first.
pub(crate) fn system_roots() -> Result<RootCertStore, Cause> {
    let found = rustls_native_certs::load_native_certs();
    let mut roots = RootCertStore::empty();
    // A store may hold certificates that no longer parse; they are of no use to anybody.
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    Err(found.errors.first().map_or_else(
        || Cause::said("the system's certificate store is empty"),
        |error| Cause::of(error),
    ))
}

/// TLS on ring, named here so that no process-wide default is needed or changed.
pub(crate) fn client_config() -> Result<ClientConfig, Cause> {
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(ring)
        .with_safe_default_protocol_versions()
        .map_err(|error| Cause::of(&error))?;
    Ok(config
        .with_root_certificates(system_roots()?)
        .with_no_client_auth())
}
