use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_sts::primitives::{DateTime, DateTimeFormat};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{CredentialChain, CredentialProvider, Start};
use crate::adapters::aws::error::AwsError;
use crate::adapters::aws::oidc::{Oidc, retry_policy};
use crate::adapters::aws::sdk;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::aws::settings::{CredentialSource, OidcRequest, Role};
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

mod lifetime;
mod refusals;

const HOUR: u64 = 3600;

fn role(given_by: CredentialSource, name: &str) -> Role {
    Role {
        given_by,
        arn: format!("arn:aws:iam::123456789012:role/{name}"),
        session_name: "aws-vsts-tools".to_owned(),
        external_id: None,
        duration: Duration::from_mins(15),
    }
}

fn sdk(endpoint: &str) -> SdkConfig {
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(sdk::http_client(Vec::new()))
        .retry_config(RetryConfig::disabled())
        .timeout_config(TimeoutConfig::disabled())
        .region(Region::from_static("eu-west-1"))
        .endpoint_url(format!("http://{endpoint}"))
        .build()
}

fn keys() -> Start {
    let keys = Credentials::new("AKIDKEYS", "secret-of-keys", None, None, "test");
    Start::Provider(SharedCredentialsProvider::new(keys))
}

fn oidc(server: &LoopbackServer) -> Start {
    let url = format!("http://{}/oidctoken", server.host());
    Start::Oidc(Box::new(Oidc {
        request: OidcRequest {
            url: url.parse().expect("an address"),
            job_token: Secret::new("job-token"),
        },
        role: role(CredentialSource::Connection, "opened"),
        retry: RetryPolicy {
            tries: 2,
            first_wait: Duration::from_millis(1),
            ..retry_policy()
        },
    }))
}

fn sign_in(
    server: &LoopbackServer,
    start: Start,
    roles: Vec<Role>,
    events: Events,
) -> CredentialProvider {
    let chain = CredentialChain {
        start,
        roles,
        origin: "`awsConnection`".to_owned(),
        first_origin: "`awsConnection`".to_owned(),
    };
    CredentialProvider::new(chain, sdk(&server.host()), events)
}

fn form(request: &Received) -> Vec<(String, String)> {
    url::form_urlencoded::parse(&request.body)
        .into_owned()
        .filter(|(name, _)| name != "Version")
        .collect()
}

fn value(request: &Received, name: &str) -> Option<String> {
    let mut fields = form(request).into_iter();
    fields
        .find(|(known, _)| known == name)
        .map(|(_, value)| value)
}

/// Credentials that are named after the role, and that last for so many seconds.
fn opened(request: &Received, seconds: u64) -> Reply {
    let action = value(request, "Action").unwrap_or_default();
    let arn = value(request, "RoleArn").unwrap_or_default();
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let end = DateTime::from(SystemTime::now() + Duration::from_secs(seconds));
    let end = end.fmt(DateTimeFormat::DateTime).expect("a time");
    let body = format!(
        "<{action}Response><{action}Result><Credentials><AccessKeyId>ASIA{name}</AccessKeyId><SecretAccessKey>secret-of-{name}</SecretAccessKey><SessionToken>token-of-{name}</SessionToken><Expiration>{end}</Expiration></Credentials></{action}Result></{action}Response>"
    );
    Reply::new(200, &[("content-type", "text/xml")], body)
}

fn token() -> String {
    let payload = r#"{"iss":"https://vstoken.dev.azure.com/5d0c","sub":"sc://contoso/web/aws","aud":"api://AzureADTokenExchange"}"#;
    format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload))
}

/// Issuer of tokens, and STS, on one host.
async fn server(seconds: u64) -> LoopbackServer {
    LoopbackServer::start(move |request, _| match request.line.as_str() {
        "POST /oidctoken" => Reply::new(200, &[], format!(r#"{{"oidcToken":"{}"}}"#, token())),
        _ => opened(request, seconds),
    })
    .await
}

async fn refusing(code: &'static str, message: &'static str) -> LoopbackServer {
    LoopbackServer::start(move |request, _| {
        if request.line == "POST /oidctoken" {
            return Reply::new(200, &[], format!(r#"{{"oidcToken":"{}"}}"#, token()));
        }
        let body = format!("<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>4-5-6</RequestId></ErrorResponse>");
        Reply::new(403, &[("content-type", "text/xml"), ("x-amzn-requestid", "4-5-6")], body)
    })
    .await
}

async fn refused(server: &LoopbackServer, start: Start, roles: Vec<Role>) -> AwsError {
    let provider = sign_in(server, start, roles, Events::silent());
    provider.credentials().await.expect_err("a failure")
}

fn names(request: &Received) -> Vec<String> {
    let fields = form(request).into_iter();
    let mut names: Vec<String> = fields
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn a_role_is_assumed_with_the_keys_and_all_that_was_given() {
    let server = server(HOUR).await;
    let roles = vec![Role {
        external_id: Some("few & many".to_owned()),
        session_name: "nightly".to_owned(),
        duration: Duration::from_mins(30),
        ..role(CredentialSource::Connection, "deploy")
    }];
    let provider = sign_in(&server, keys(), roles, Events::silent());
    let credentials = provider.credentials().await.expect("credentials");
    assert_eq!(credentials.access_key_id(), "ASIAdeploy");
    let [request] = server.received().try_into().expect("one request");
    assert_eq!(
        names(&request),
        [
            "Action=AssumeRole",
            "DurationSeconds=1800",
            "ExternalId=few & many",
            "RoleArn=arn:aws:iam::123456789012:role/deploy",
            "RoleSessionName=nightly",
        ]
    );
    let signed = request.header("authorization").expect("a signature");
    assert!(signed.contains("Credential=AKIDKEYS/"), "{signed}");
    assert!(signed.contains("/eu-west-1/sts/"), "{signed}");
}

#[tokio::test]
async fn each_role_is_assumed_with_the_credentials_of_the_one_before() {
    let server = server(HOUR).await;
    let roles = vec![
        role(CredentialSource::Connection, "first"),
        role(CredentialSource::Inputs, "second"),
    ];
    let provider = sign_in(&server, keys(), roles, Events::silent());
    let credentials = provider.credentials().await.expect("credentials");
    assert_eq!(credentials.access_key_id(), "ASIAsecond");
    let [first, second] = server.received().try_into().expect("two requests");
    assert!(
        !names(&first)
            .iter()
            .any(|field| field.starts_with("ExternalId"))
    );
    let signed = second.header("authorization").expect("a signature");
    assert!(signed.contains("Credential=ASIAfirst/"), "{signed}");
    assert_eq!(
        second.header("x-amz-security-token"),
        Some("token-of-first")
    );
}

#[tokio::test]
async fn a_token_opens_a_role_without_any_signature() {
    let server = server(HOUR).await;
    let roles = vec![role(CredentialSource::Inputs, "second")];
    let provider = sign_in(&server, oidc(&server), roles, Events::silent());
    provider.credentials().await.expect("credentials");
    let [asked, opened, assumed] = server.received().try_into().expect("three requests");
    assert_eq!(asked.header("authorization"), Some("Bearer job-token"));
    assert_eq!(
        names(&opened),
        [
            "Action=AssumeRoleWithWebIdentity".to_owned(),
            "DurationSeconds=900".to_owned(),
            "RoleArn=arn:aws:iam::123456789012:role/opened".to_owned(),
            "RoleSessionName=aws-vsts-tools".to_owned(),
            format!("WebIdentityToken={}", token()),
        ]
    );
    assert_eq!(opened.header("authorization"), None);
    let signed = assumed.header("authorization").expect("a signature");
    assert!(signed.contains("Credential=ASIAopened/"), "{signed}");
}

#[tokio::test]
async fn every_secret_is_masked_before_it_is_handed_out() {
    let server = server(HOUR).await;
    let masked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&masked);
    let events = Events::new(move |event| {
        if let Event::Secret(secret) = event {
            heard
                .lock()
                .expect("no panic")
                .push(secret.reveal().to_owned());
        }
    });
    let roles = vec![role(CredentialSource::Inputs, "second")];
    let provider = sign_in(&server, oidc(&server), roles, events);
    provider.credentials().await.expect("credentials");
    let expected = [
        token(),
        "secret-of-opened".to_owned(),
        "token-of-opened".to_owned(),
        "secret-of-second".to_owned(),
        "token-of-second".to_owned(),
    ];
    assert_eq!(*masked.lock().expect("no panic"), expected);
    assert!(!format!("{provider:?}").contains("secret-of"));
}

#[test]
fn a_role_s_partition_has_its_own_sts() {
    let nowhere = || SdkConfig::builder().build();
    for (arn, region) in [
        (None, "us-east-1"),
        (Some("arn:aws:iam::123456789012:role/x"), "us-east-1"),
        (Some("arn:aws-cn:iam::123456789012:role/x"), "cn-north-1"),
        (
            Some("arn:aws-eusc:iam::123456789012:role/x"),
            "eusc-de-east-1",
        ),
        (
            Some("arn:aws-us-gov:iam::123456789012:role/x"),
            "us-gov-west-1",
        ),
    ] {
        let sdk = super::in_some_region(nowhere(), arn);
        assert_eq!(sdk.region().map(AsRef::as_ref), Some(region), "{arn:?}");
    }
}
