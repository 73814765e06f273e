//! Setup of the SDK: one TLS stack, proxies, time limits, retries.

use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

use super::error::AwsError;
use super::limited::LimitedClient;
use super::role::PROVIDER;
use crate::adapters::http::trust;
use crate::domain::aws::settings::{AwsCredentials, AwsSettings};

/// The region that answers for identities when none is known; every AWS account has it.
pub(super) const FALLBACK_REGION: &str = "us-east-1";

const ATTEMPTS: u32 = 5;

const CONNECT: Duration = Duration::from_secs(5);

const ATTEMPT: Duration = Duration::from_secs(10);

const OPERATION: Duration = Duration::from_secs(30);

const STALLED: Duration = Duration::from_secs(20);

/// Reads the environment and the shared configuration, as far as the settings leave it open.
pub(super) async fn load(settings: &AwsSettings) -> Result<SdkConfig, AwsError> {
    let authorities = trust::pem().map_err(|source| AwsError::NotReachable {
        purpose: "connect to AWS".to_owned(),
        host: "amazonaws.com".to_owned(),
        tls: true,
        source,
    })?;
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .http_client(http_client(authorities))
        .retry_config(RetryConfig::standard().with_max_attempts(ATTEMPTS))
        .timeout_config(time_limits())
        .stalled_stream_protection(
            StalledStreamProtectionConfig::enabled()
                .grace_period(STALLED)
                .build(),
        );
    if let Some(region) = &settings.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader = match &settings.credentials {
        AwsCredentials::Keys {
            access_key_id,
            secret_access_key,
            session_token,
            ..
        } => loader.credentials_provider(Credentials::new(
            access_key_id,
            secret_access_key.reveal(),
            session_token
                .as_ref()
                .map(|token| token.reveal().to_owned()),
            None,
            PROVIDER,
        )),
        // Nothing else may be asked when the token fails.
        AwsCredentials::Oidc { .. } => loader.no_credentials(),
        AwsCredentials::DefaultChain => loader,
    };
    Ok(loader.load().await)
}

/// The SDK by itself waits for an answer without end.
fn time_limits() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT)
        .operation_attempt_timeout(ATTEMPT)
        .operation_timeout(OPERATION)
        .build()
}

/// The SDK's own client on ring, with the proxies that the environment names.
///
/// Its builder has no place for a proxy, so each connector is built by hand.
pub(super) fn http_client(authorities: Vec<u8>) -> SharedHttpClient {
    let store = TrustStore::empty().with_pem_certificate(authorities);
    let client = Builder::new().build_with_connector_fn(move |settings, components| {
        let context = TlsContext::builder()
            .with_trust_store(store.clone())
            .build();
        let mut connector = Connector::builder()
            .tls_provider(tls::Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.expect("a context that has a trust store"))
            .proxy_config(ProxyConfig::from_env());
        connector.set_connector_settings(settings.cloned());
        connector.set_sleep_impl(components.and_then(RuntimeComponents::sleep_impl));
        connector.build()
    });
    SharedHttpClient::new(LimitedClient(client))
}
