use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Oidc, retry_policy};
use crate::adapters::aws::error::AwsError;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::aws::claims::Claims;
use crate::domain::aws::settings::{CredentialSource, OidcRequest, Role};
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Reply};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

fn oidc(host: &str) -> Oidc {
    let url = format!("http://{host}/contoso/oidctoken?api-version=7.1&serviceConnectionId=5d0c");
    Oidc {
        request: OidcRequest {
            url: url.parse().expect("an address"),
            job_token: Secret::new("job-token"),
        },
        role: Role {
            given_by: CredentialSource::Connection,
            arn: "arn:aws:iam::123456789012:role/deploy".to_owned(),
            session_name: "aws-vsts-tools".to_owned(),
            external_id: None,
            duration: Duration::from_mins(15),
        },
        retry: RetryPolicy {
            tries: 3,
            first_wait: Duration::from_millis(1),
            ..retry_policy()
        },
    }
}

async fn asked(server: &LoopbackServer) -> Result<Secret, AwsError> {
    oidc(&server.host()).token().await
}

async fn refused(status: u16, body: &'static str) -> (Problem, usize) {
    let server = LoopbackServer::start(move |_, _| Reply::new(status, &JSON, body)).await;
    let error = asked(&server).await.expect_err("a failure");
    assert_eq!(error.code(), Code::AwsOidcFailed);
    (error.into(), server.lines().len())
}

#[tokio::test]
async fn the_job_asks_with_its_own_token() {
    let server =
        LoopbackServer::start(|_, _| Reply::new(200, &JSON, r#"{"oidcToken":"the-token"}"#)).await;
    assert_eq!(asked(&server).await, Ok(Secret::new("the-token")));
    let [request] = server.received().try_into().expect("one request");
    assert_eq!(
        request.line,
        "POST /contoso/oidctoken?api-version=7.1&serviceConnectionId=5d0c"
    );
    for (name, value) in [
        ("authorization", "Bearer job-token"),
        ("content-type", "application/json"),
        ("x-tfs-fedauthredirect", "Suppress"),
        ("content-length", "0"),
    ] {
        assert_eq!(request.header(name), Some(value), "{name}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_asked_for_again() {
    let server = LoopbackServer::start(|_, earlier| match earlier {
        0 => Reply::none(),
        1 => Reply::new(503, &JSON, "{}"),
        _ => Reply::new(200, &JSON, r#"{"oidcToken":"the-token"}"#),
    })
    .await;
    assert_eq!(asked(&server).await, Ok(Secret::new("the-token")));
    assert_eq!(server.lines().len(), 3);
}

#[tokio::test]
async fn troubles_that_stay_end_after_the_last_try() {
    let (problem, requests) = refused(500, r#"{"message":"try later"}"#).await;
    assert_eq!(requests, 3);
    assert_eq!(problem.what, "Cannot get an OIDC token for `awsConnection`");
    assert_eq!(problem.why, ["HTTP 500: try later"]);
}

#[tokio::test]
async fn a_refusal_is_not_asked_for_again() {
    for (status, body, hint) in [
        (401, "", "System.AccessToken"),
        (203, "<html>sign in</html>", "System.AccessToken"),
        (302, "", "System.AccessToken"),
        (
            404,
            r#"{"message":"no such connection"}"#,
            "Service connections",
        ),
        (200, "<html>", "Service connections"),
        (200, r#"{"oidcToken":""}"#, "Service connections"),
    ] {
        let (problem, requests) = refused(status, body).await;
        assert_eq!(requests, 1, "{status}");
        assert!(problem.hint.unwrap_or_default().contains(hint), "{status}");
    }
}

#[tokio::test]
async fn an_answer_without_measure_is_not_read_to_its_end() {
    let body = format!(r#"{{"oidcToken":"{}"}}"#, "x".repeat(20 * 1024 * 1024));
    let server = LoopbackServer::start(move |_, _| Reply::new(200, &JSON, &body)).await;
    let problem = Problem::from(asked(&server).await.expect_err("a failure"));
    assert_eq!(problem.why, ["the answer has more than 65536 bytes"]);
}

#[tokio::test]
async fn the_job_s_token_follows_no_redirect() {
    let other = LoopbackServer::start(|_, _| Reply::new(200, &JSON, "{}")).await;
    let location = format!("http://{}/", other.host());
    let server =
        LoopbackServer::start(move |_, _| Reply::new(307, &[("location", location.as_str())], ""))
            .await;
    assert!(asked(&server).await.is_err());
    assert!(other.lines().is_empty());
}

#[tokio::test]
async fn nobody_listening_tells_the_host_and_no_token() {
    let error = oidc("127.0.0.1:9").token().await.expect_err("a failure");
    let problem = Problem::from(error);
    assert!(
        problem
            .hint
            .as_deref()
            .unwrap_or_default()
            .contains("`127.0.0.1`")
    );
    assert!(!format!("{problem:?}").contains("job-token"));
}

#[test]
fn a_token_tells_only_what_a_trust_policy_looks_at() {
    let payload = r#"{"iss":"https://vstoken.dev.azure.com/5d0c","sub":"sc://contoso/web/aws","aud":["api://AzureADTokenExchange"],"p_id":"private"}"#;
    let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload));
    let claims = Claims::of(&Secret::new(token)).expect("claims");
    assert_eq!(
        claims.to_string(),
        "iss `https://vstoken.dev.azure.com/5d0c`, sub `sc://contoso/web/aws`, aud `api://AzureADTokenExchange`"
    );
    assert_eq!(claims.provider(), "vstoken.dev.azure.com/5d0c");
    assert_eq!(Claims::of(&Secret::new("opaque")), None);
}
