//! The registry's own API, as far as the task needs it.
//!
//! This is a small client on reqwest, and not oci-client: ECR needs only HTTP's basic scheme, so there is little to gain, while oci-client
//! retries nothing and has no time limits, picks the machine's own platform, pushes in chunks that
//! ECR loses, and panics when a reference to be pushed carries a digest. Retries, time limits and
//! size limits are ours either way.
//!
//! A request passes three layers: the transport sends it once, the exchange signs in and tries
//! again, and [`Registry`] knows what the answers mean.

use std::fmt;
use std::sync::Arc;

use reqwest::StatusCode;

use super::credentials::cache::Credentials;
use super::error::RegistryError;
use super::exchange::Exchange;
use super::refusal::RegistryRefusal;
use super::subject::Subject;
use super::transport::Request;
use crate::adapters::http::client::{Answer, Http};
use crate::adapters::http::retry::RetryPolicy;

/// Access to registries; one for a run, cheap to clone.
#[derive(Clone)]
pub struct Registry(pub(super) Arc<Exchange>);

impl Registry {
    /// Makes the clients; nothing is asked yet.
    pub fn new(credentials: Credentials) -> Result<Self, RegistryError> {
        Self::with_policy(credentials, RetryPolicy::default())
    }

    pub(crate) fn with_policy(
        credentials: Credentials,
        policy: RetryPolicy,
    ) -> Result<Self, RegistryError> {
        let http = Http::new().map_err(|source| RegistryError::NoTrust { source })?;
        Ok(Self(Arc::new(Exchange::new(http, credentials, policy))))
    }

    /// Sends a request whose only good answer is 200.
    pub(super) async fn get(
        &self,
        subject: &Subject<'_>,
        request: &Request,
    ) -> Result<Answer, RegistryError> {
        let answer = self
            .0
            .send(request)
            .await
            .map_err(|failed| subject.failed(failed))?;
        if answer.status == StatusCode::OK {
            return Ok(answer);
        }
        Err(subject.refused(&RegistryRefusal::of(&answer)))
    }
}

impl fmt::Debug for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}
