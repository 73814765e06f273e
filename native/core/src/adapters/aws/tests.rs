//! The SDK as it is set up here, against a server that answers as AWS does.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use serde_json::{Value, json};

use super::account::Aws;
use super::error::AwsError;
use super::sdk;
use crate::domain::aws::settings::{AwsCredentials, AwsSettings, CredentialSource};
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::reference::repository::Repository;
use crate::report::code::Code;
use crate::report::event::Events;
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Reply};

mod faults;
mod registry_login;
mod repository;

pub(crate) fn host() -> EcrHost {
    EcrHost {
        account: "123456789012".to_owned(),
        region: "eu-west-1".to_owned(),
    }
}

fn repository() -> Repository {
    Repository {
        registry: EcrHost::name("123456789012", "eu-west-1"),
        name: "app/web".to_owned(),
    }
}

fn sdk(endpoint: &str, provider: impl ProvideCredentials + 'static) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(sdk::http_client(Vec::new()))
        .credentials_provider(SharedCredentialsProvider::new(provider))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .endpoint_url(endpoint)
        .build()
}

fn keys() -> Credentials {
    Credentials::new("AKIAEXAMPLE", "shh", None, None, "test")
}

fn aws(endpoint: &str) -> Aws {
    signed_in(sdk(endpoint, keys()))
}

fn settings(credentials: AwsCredentials) -> AwsSettings {
    AwsSettings {
        credentials,
        roles: Vec::new(),
        region: None,
    }
}

/// Keys of the inputs, which the configuration of the SDK replaces here.
fn signed_in(sdk: SdkConfig) -> Aws {
    let settings = settings(AwsCredentials::Keys {
        given_by: CredentialSource::Inputs,
        access_key_id: String::new(),
        secret_access_key: Secret::new(""),
        session_token: None,
    });
    Aws::with(sdk, &settings, Events::silent())
}

pub(crate) async fn server(status: u16, body: Value) -> LoopbackServer {
    LoopbackServer::start(move |_, _| {
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amzn-requestid", "1-2-3"),
        ];
        Reply::new(status, &headers, body.to_string())
    })
    .await
}

pub(crate) fn of(server: &LoopbackServer) -> Aws {
    aws(&format!("http://{}", server.host()))
}

/// AWS on the server, with the credentials of a provider.
pub(crate) fn provided(
    server: &LoopbackServer,
    provider: impl ProvideCredentials + 'static,
) -> Aws {
    signed_in(sdk(&format!("http://{}", server.host()), provider))
}

/// AWS on the server, in which the SDK tries so often.
pub(crate) fn trying(server: &LoopbackServer, tries: u32) -> Aws {
    let retry = RetryConfig::standard()
        .with_max_attempts(tries)
        .with_initial_backoff(Duration::from_millis(1));
    let sdk = sdk(&format!("http://{}", server.host()), keys());
    signed_in(sdk.into_builder().retry_config(retry).build())
}

#[tokio::test]
async fn a_refusal_names_the_permission_and_the_request() {
    let message = "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:DescribeRepositories on resource: arn:aws:ecr:eu-west-1:123456789012:repository/app/web because no identity-based policy allows the ecr:DescribeRepositories action";
    let server = server(
        400,
        json!({"__type": "AccessDeniedException", "message": message}),
    )
    .await;
    let error = of(&server).repository(&repository()).await;
    let error = error.expect_err("a refusal");
    assert!(matches!(error, AwsError::Denied { .. }), "{error:?}");
    let problem = Problem::from(error);
    insta::assert_snapshot!(problem.what, @"AWS denies `ecr:DescribeRepositories` on `arn:aws:ecr:eu-west-1:123456789012:repository/app/web`");
    assert_eq!(problem.why.len(), 1);
    assert!(
        problem.why[0].starts_with("request 1-2-3: AccessDeniedException: User:"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn a_caller_is_asked_for_in_some_region() {
    let server = LoopbackServer::start(|_, _| {
        Reply::new(200, &[("content-type", "text/xml")], "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/ci</Arn><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>")
    })
    .await;
    let caller = of(&server).caller().await.expect("a caller");
    assert_eq!(caller.account, "123456789012");
    assert_eq!(caller.arn, "arn:aws:iam::123456789012:user/ci");
    let signed = server.received()[0]
        .header("authorization")
        .map(str::to_owned);
    assert!(signed.expect("a signature").contains("/us-east-1/sts/"));

    let sdk = sdk(&format!("http://{}", server.host()), keys());
    let sdk = sdk.into_builder().region(Region::new("eu-west-1")).build();
    let aws = signed_in(sdk);
    assert!(aws.caller().await.is_ok());
    assert_eq!(aws.region(), Some("eu-west-1"));
    let signed = server.received()[1]
        .header("authorization")
        .map(str::to_owned);
    assert!(signed.expect("a signature").contains("/eu-west-1/sts/"));
}

#[tokio::test]
async fn credentials_that_aws_does_not_know_are_told_from_missing_rights() {
    let body = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message></Error><RequestId>4-5-6</RequestId></ErrorResponse>";
    let server =
        LoopbackServer::start(move |_, _| Reply::new(403, &[("x-amzn-requestid", "4-5-6")], body))
            .await;
    let problem = Problem::from(of(&server).caller().await.expect_err("a failure"));
    assert_eq!(problem.code, Code::AwsCredentialsInvalid);
    assert_eq!(
        problem.what,
        "AWS does not accept the credentials from the inputs"
    );
    assert!(
        problem.why[0].starts_with("request 4-5-6: InvalidClientTokenId"),
        "{problem:?}"
    );
}

/// A provider that counts how often it is asked, and has nothing.
#[derive(Debug, Default)]
struct Nothing(AtomicUsize);

impl ProvideCredentials for Nothing {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        self.0.fetch_add(1, Ordering::SeqCst);
        let error = CredentialsError::not_loaded("no providers in chain provided credentials");
        future::ProvideCredentials::ready(Err(error))
    }
}

#[tokio::test]
async fn no_credentials_are_told_from_no_connection() {
    let sdk = sdk("http://127.0.0.1:9", Nothing::default());
    let settings = settings(AwsCredentials::DefaultChain);
    let error = Aws::with(sdk, &settings, Events::silent()).caller().await;
    let problem = Problem::from(error.expect_err("a failure"));
    assert_eq!(problem.code, Code::AwsCredentialsMissing);
    assert_eq!(
        problem.what,
        "Cannot get AWS credentials from the SDK's default chain"
    );
    assert!(
        problem.why[0].contains("no providers in chain"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_not_reachable() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let error = aws(&format!("http://{address}"))
        .registry_login(&host())
        .await;
    let error = error.expect_err("a failure");
    assert_eq!(error.code(), Code::AwsNotReachable, "{error:?}");
}

#[tokio::test]
async fn keys_of_the_inputs_are_used_as_they_are() {
    let settings = |region: &str| AwsSettings {
        credentials: AwsCredentials::Keys {
            given_by: CredentialSource::Inputs,
            access_key_id: "AKIAEXAMPLE".to_owned(),
            secret_access_key: Secret::new("shh"),
            session_token: None,
        },
        roles: Vec::new(),
        region: Some(region.to_owned()),
    };
    let aws = Aws::open(&settings("eu-west-1"), Events::silent())
        .await
        .expect("clients");
    assert_eq!(
        (aws.origin(), aws.region()),
        ("the inputs", Some("eu-west-1"))
    );
    assert!(!format!("{aws:?}").contains("shh"));
    let error = Aws::open(&settings("evil.example/#"), Events::silent())
        .await
        .err();
    assert_eq!(error.map(|error| error.code()), Some(Code::InputMalformed));
}
