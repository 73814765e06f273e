//! Credentials by the configured chain, fetched anew before they end.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_config::{Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use tokio::sync::Mutex;

use super::error::AwsError;
use super::oidc::Oidc;
use super::role;
use crate::domain::aws::partition::Partition;
use crate::domain::aws::settings::Role;
use crate::report::cause::Cause;
use crate::report::event::Events;
use crate::report::secret::Secret;

/// Credentials that end sooner than this are replaced: what they are used for takes its time. No
/// session is shorter than 15 minutes.
const MARGIN: Duration = Duration::from_mins(5);

/// The first link of the chain.
pub(super) enum Start {
    /// Keys, or the SDK's chain.
    Provider(SharedCredentialsProvider),
    /// A token of the job's own, and a role that trusts it.
    Oidc(Box<Oidc>),
    /// The SDK has no chain to ask.
    Nothing,
}

/// The provider of the credentials, with its last answer; cheap to clone.
#[derive(Clone)]
pub(super) struct CredentialProvider(Arc<Inner>);

struct Inner {
    start: Start,
    roles: Vec<Role>,
    /// Configuration for calls to STS, without credentials.
    sdk: SdkConfig,
    origin: String,
    /// Name of the start alone, before any role.
    first_origin: String,
    events: Events,
    /// All callers that ask meanwhile wait for one answer.
    last: Mutex<Last>,
}

/// The last answers of the chain.
#[derive(Default)]
struct Last {
    known: Option<Credentials>,
    /// The failure of a sign-in that never succeeded: it would only come again, and a refused sign-in repeated by each
    /// step can lock somebody out.
    failure: Option<AwsError>,
    has_succeeded: bool,
}

/// Parts of a chain of credentials.
pub(super) struct CredentialChain {
    pub(super) start: Start,
    pub(super) roles: Vec<Role>,
    pub(super) origin: String,
    pub(super) first_origin: String,
}

impl CredentialProvider {
    pub(super) fn new(chain: CredentialChain, sdk: SdkConfig, events: Events) -> Self {
        let arn = match &chain.start {
            Start::Oidc(oidc) => Some(oidc.role.arn.as_str()),
            _ => chain.roles.first().map(|role| role.arn.as_str()),
        };
        let sdk = in_some_region(sdk, arn);
        Self(Arc::new(Inner {
            start: chain.start,
            roles: chain.roles,
            sdk,
            origin: chain.origin,
            first_origin: chain.first_origin,
            events,
            last: Mutex::default(),
        }))
    }

    /// Describes the choice in a phrase.
    pub(super) fn origin(&self) -> &str {
        &self.0.origin
    }

    /// The region in which STS is called.
    pub(super) fn region(&self) -> &str {
        let region = self.0.sdk.region();
        region.map_or(super::sdk::FALLBACK_REGION, AsRef::as_ref)
    }

    /// Forgets credentials that AWS says have expired, so that the next call fetches others. A failure is kept.
    pub(super) async fn forget(&self) {
        self.0.last.lock().await.known = None;
    }

    /// Credentials that last for some time yet. Where others cannot be had, those that have not ended count as long as
    /// they last: a service that fails for a moment must not end a long run.
    pub(super) async fn credentials(&self) -> Result<Credentials, AwsError> {
        let mut last = self.0.last.lock().await;
        if let Some(failure) = &last.failure {
            return Err(failure.clone());
        }
        if let Some(known) = last.known.as_ref().filter(|known| lasts(known, MARGIN)) {
            return Ok(known.clone());
        }
        // On the heap, since it lies within the future of every call that is signed.
        match Box::pin(self.0.walk()).await {
            Ok(fresh) => {
                last.has_succeeded = true;
                last.known = Some(fresh.clone());
                Ok(fresh)
            }
            Err(error) => {
                let known = last.known.as_ref();
                if let Some(known) = known.filter(|known| lasts(known, Duration::ZERO)) {
                    return Ok(known.clone());
                }
                if !last.has_succeeded {
                    last.failure = Some(error.clone());
                }
                Err(error)
            }
        }
    }
}

/// Returns true if credentials last longer than a time.
fn lasts(credentials: &Credentials, time: Duration) -> bool {
    let end = credentials.expiry();
    end.is_none_or(|end| SystemTime::now() + time < end)
}

impl Inner {
    /// Walks the whole chain from its start: what opened a role may have ended as well.
    async fn walk(&self) -> Result<Credentials, AwsError> {
        let mut credentials = match &self.start {
            Start::Provider(provider) => self.provided(provider).await?,
            Start::Oidc(oidc) => {
                let opened = oidc.sign_in(&self.sdk, &self.events).await?;
                self.mask(&opened);
                opened
            }
            Start::Nothing => {
                return Err(AwsError::CredentialsMissing {
                    origin: self.first_origin.clone(),
                    source: Cause::said("there is nothing to look in"),
                });
            }
        };
        for role in &self.roles {
            credentials = role::assume(&self.sdk, role, credentials).await?;
            self.mask(&credentials);
        }
        Ok(credentials)
    }

    async fn provided(
        &self,
        provider: &SharedCredentialsProvider,
    ) -> Result<Credentials, AwsError> {
        let answer = provider.provide_credentials().await;
        answer.map_err(|error| AwsError::CredentialsMissing {
            origin: self.first_origin.clone(),
            source: Cause::of(&error),
        })
    }

    fn mask(&self, credentials: &Credentials) {
        let secret = Secret::new(credentials.secret_access_key());
        self.events.mask(&secret);
        if let Some(token) = credentials.session_token() {
            self.events.mask(&Secret::new(token));
        }
    }
}

/// STS has an endpoint in each region; a role's partition has to have it.
fn in_some_region(sdk: SdkConfig, arn: Option<&str>) -> SdkConfig {
    if sdk.region().is_some() {
        return sdk;
    }
    let partition = arn.and_then(|arn| Partition::named(arn.split(':').nth(1)?));
    let region = partition.map_or(super::sdk::FALLBACK_REGION, |known| known.home_region);
    let region = Region::from_static(region);
    sdk.into_builder().region(region).build()
}

/// The clients ask here for each request.
impl ProvideCredentials for CredentialProvider {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(async {
            let credentials = self.credentials().await;
            credentials.map_err(CredentialsError::provider_error)
        })
    }
}

impl fmt::Debug for CredentialProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CredentialProvider")
            .field("origin", &self.0.origin)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
