//! The calls to AWS: who we are, what a repository is like, the registry's password, and ECS task definitions.
//!
//! Everything else that concerns images goes through the registry's own API (see
//! [`crate::adapters::registry::client`]).

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_config::identity::IdentityCache;
use aws_config::retry::RetryConfig;
use aws_config::{Region, SdkConfig};
use aws_credential_types::provider::SharedCredentialsProvider;

use super::action::Action;
use super::call::{Call, usual_host};
use super::credential_provider::{CredentialChain, CredentialProvider, Start};
use super::error::AwsError;
use super::oidc::{Oidc, retry_policy};
use super::{endpoint, sdk};
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::aws::settings::{AwsCredentials, AwsSettings};
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::registry_login::RegistryLogin;
use crate::report::event::Events;

/// Access to AWS with one set of credentials; cheap to clone.
#[derive(Clone)]
pub struct Aws(pub(super) Arc<Inner>);

pub(super) struct Inner {
    /// Asks `provider` for credentials, as do all clients that are made of it.
    pub(super) sdk: SdkConfig,
    pub(super) provider: CredentialProvider,
    sts: aws_sdk_sts::Client,
    /// A client for each region, made when the region is first needed.
    ecr: Mutex<HashMap<String, aws_sdk_ecr::Client>>,
}

impl Aws {
    /// Makes the clients; asks nothing beyond what the chain needs to find a region.
    ///
    /// `events` hears of every secret that signing in brings, before anyone can use it.
    pub async fn open(settings: &AwsSettings, events: Events) -> Result<Self, AwsError> {
        let sdk = sdk::load(settings).await?;
        let variable = |name: &str| std::env::var(name).ok();
        endpoint::check(&sdk, variable)?;
        if matches!(settings.credentials, AwsCredentials::DefaultChain) {
            endpoint::check_chain(&sdk, variable)?;
        }
        if let Some(region) = sdk
            .region()
            .filter(|region| !endpoint::is_region(region.as_ref()))
        {
            let region = crate::report::cause::Cause::said(region.as_ref()).to_string();
            return Err(AwsError::RegionInvalid { region });
        }
        Ok(Self::with(sdk, settings, events))
    }

    pub(super) fn with(sdk: SdkConfig, settings: &AwsSettings, events: Events) -> Self {
        let start = match (&settings.credentials, sdk.credentials_provider()) {
            (AwsCredentials::Oidc { request, role }, _) => Start::Oidc(Box::new(Oidc {
                request: request.clone(),
                role: role.clone(),
                retry: retry_policy(),
            })),
            (_, Some(provider)) => Start::Provider(provider),
            (_, None) => Start::Nothing,
        };
        let chain = CredentialChain {
            start,
            roles: settings.roles.clone(),
            origin: settings.origin(),
            first_origin: settings.credentials.origin().to_owned(),
        };
        Self::on(sdk.clone(), CredentialProvider::new(chain, sdk, events))
    }

    fn on(sdk: SdkConfig, provider: CredentialProvider) -> Self {
        // The provider keeps the credentials itself, and knows when they end.
        let sdk = sdk
            .into_builder()
            .identity_cache(IdentityCache::no_cache())
            .credentials_provider(SharedCredentialsProvider::new(provider.clone()))
            .build();
        let mut sts = aws_sdk_sts::config::Builder::from(&sdk);
        if sdk.region().is_none() {
            sts = sts.region(Region::new(provider.region().to_owned()));
        }
        Self(Arc::new(Inner {
            provider,
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            ecr: Mutex::default(),
            sdk,
        }))
    }

    /// The same access, by which each request is sent once and never again.
    #[must_use]
    pub fn without_retries(&self) -> Self {
        let sdk = self.0.sdk.clone().into_builder();
        let sdk = sdk.retry_config(RetryConfig::disabled()).build();
        Self::on(sdk, self.0.provider.clone())
    }

    /// The region that was given, or else the chain's.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.0.sdk.region().map(AsRef::as_ref)
    }

    /// Origin of the credentials, in a phrase for the log.
    #[must_use]
    pub fn origin(&self) -> &str {
        self.0.provider.origin()
    }

    /// Asks who we are; no permission is needed for it.
    pub async fn caller(&self) -> Result<CallerIdentity, AwsError> {
        let region = self.0.provider.region();
        let call = Call {
            action: Action::GetCallerIdentity,
            purpose: "find out whose credentials these are".to_owned(),
            host: usual_host("sts", region),
            repository: None,
            origin: self.origin(),
        };
        self.0.provider.credentials().await?;
        let answer = self.0.sts.get_caller_identity().send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        Ok(CallerIdentity {
            account: answer.account.ok_or_else(|| call.incomplete("account"))?,
            arn: answer.arn.ok_or_else(|| call.incomplete("ARN"))?,
        })
    }

    /// Fetches the password of a registry.
    pub async fn registry_login(&self, host: &EcrHost) -> Result<RegistryLogin, AwsError> {
        let call = Call {
            action: Action::GetAuthorizationToken,
            purpose: format!("get a password for the ECR registries in `{}`", host.region),
            host: usual_host("api.ecr", &host.region),
            repository: None,
            origin: self.origin(),
        };
        let credentials = self.0.provider.credentials().await?;
        let answer = self
            .ecr(&host.region)
            .get_authorization_token()
            .send()
            .await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let token = answer
            .authorization_data
            .unwrap_or_default()
            .into_iter()
            .next();
        let token = token.ok_or_else(|| call.incomplete("authorization token"))?;
        let end = token.expires_at.map(SystemTime::try_from);
        let encoded = token.authorization_token;
        let encoded = encoded.ok_or_else(|| call.incomplete("authorization token"))?;
        let mut login = RegistryLogin::decode(&encoded)
            .ok_or_else(|| call.incomplete("usable authorization token"))?;
        let ends = earliest([end.and_then(Result::ok), credentials.expiry()]);
        login.ends = ends.and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        Ok(login)
    }

    pub(super) fn ecr(&self, region: &str) -> aws_sdk_ecr::Client {
        // A panic elsewhere cannot leave a map of clients in a bad state.
        let mut clients = self.0.ecr.lock().unwrap_or_else(PoisonError::into_inner);
        let client = clients.entry(region.to_owned()).or_insert_with(|| {
            let config = aws_sdk_ecr::config::Builder::from(&self.0.sdk);
            let region = Region::new(region.to_owned());
            aws_sdk_ecr::Client::from_conf(config.region(region).build())
        });
        client.clone()
    }
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("origin", &self.origin())
            .finish_non_exhaustive()
    }
}

/// A token that was just handed out cannot have ended: then it is a clock that is wrong.
fn earliest(ends: [Option<SystemTime>; 2]) -> Option<SystemTime> {
    let now = SystemTime::now();
    ends.into_iter().flatten().filter(|end| *end > now).min()
}
