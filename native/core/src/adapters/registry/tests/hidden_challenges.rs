//! Registries that do not ask for a login where one is needed, and logins that are missing.

use super::token_registry::{BASIC, client, password, repository, with_tokens};
use super::{by_tag, quick, serve_image};
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::{Credentials, LoginFuture, LoginSource};
use crate::adapters::registry::credentials::error::SignInError;
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::event::Events;
use crate::report::problem::Explain as _;
use crate::test_support::loopback_server::{LoopbackServer, Reply};

/// A registry that answers `status` to all that it does not know, and has its challenge at `/v2/` alone.
async fn hiding(status: u16, challenge: &'static str) -> LoopbackServer {
    LoopbackServer::start(move |received, _| {
        let host = received.header("host").unwrap_or_default();
        if received.line.contains(" /token") {
            return match received.header("authorization") {
                Some(BASIC) => Reply::new(200, &[], r#"{"token":"t"}"#),
                _ => Reply::new(401, &[], ""),
            };
        }
        if let Some(BASIC | "Bearer t") = received.header("authorization") {
            return serve_image(received);
        }
        if received.line == "GET /v2/" && !challenge.is_empty() {
            let challenge = challenge.replace("HOST", host);
            return Reply::new(401, &[("www-authenticate", &challenge)], "");
        }
        Reply::new(status, &[], "")
    })
    .await
}

#[tokio::test]
async fn a_login_is_offered_where_the_challenge_is_hidden() {
    for (status, challenge) in [
        (404, r#"Bearer realm="http://HOST/token""#),
        (404, r#"Basic realm="x""#),
        (403, r#"Bearer realm="http://HOST/token""#),
        (401, r#"Basic realm="x""#),
    ] {
        let server = hiding(status, challenge).await;
        let registry = client(Some(password()), Events::silent());
        let found = registry
            .resolve(
                &repository(server.host()),
                &by_tag(),
                &Platform::linux_arm64(),
            )
            .await;
        assert!(found.is_ok(), "{status} {challenge}: {found:?}");
        let asked = server.lines();
        let first = asked.iter().filter(|line| *line == "GET /v2/");
        assert_eq!(first.count(), 1, "{asked:?}");
    }
}

#[tokio::test]
async fn a_missing_image_stays_missing_where_no_login_helps() {
    for (login, challenge, first) in [
        (None, r#"Basic realm="x""#, 0),
        (Some(password()), "", 1),
        (Some(password()), "Negotiate", 1),
    ] {
        let server = hiding(404, challenge).await;
        let registry = client(login, Events::silent());
        let found = registry
            .resolve(
                &repository(server.host()),
                &by_tag(),
                &Platform::linux_arm64(),
            )
            .await;
        let error = found.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryImageNotFound, "{error:?}");
        let asked = server.lines();
        let asked = asked.iter().filter(|line| *line == "GET /v2/").count();
        assert_eq!(asked, first, "{challenge}");
    }
}

/// A helper of Docker that is missing.
struct WithoutHelper;

impl LoginSource for WithoutHelper {
    fn fetch<'a>(&'a self, _: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async {
            Err(SignInError::Helper {
                program: "docker-credential-x".to_owned(),
                source: Cause::said("it cannot be run"),
            })
        })
    }
}

#[tokio::test]
async fn a_missing_helper_fails_only_what_is_refused() {
    let registry = |server: &LoopbackServer| {
        let credentials = Credentials::new(WithoutHelper, Events::silent());
        let registry = Registry::with_policy(credentials, quick()).expect("a client");
        (registry, repository(server.host()))
    };
    let open = with_tokens("").await;
    let (client, from) = registry(&open);
    assert!(
        client
            .resolve(&from, &by_tag(), &Platform::linux_arm64())
            .await
            .is_ok()
    );
    let refusing_token = hiding(401, r#"Bearer realm="http://HOST/token""#).await;
    let forbidding = LoopbackServer::start(|_, _| Reply::new(403, &[], "")).await;
    let wanting = LoopbackServer::start(|received, _| {
        let host = received.header("host").unwrap_or_default();
        if received.line.contains(" /token") {
            return Reply::new(403, &[], "");
        }
        let realm = format!(r#"Bearer realm="http://{host}/token""#);
        Reply::new(401, &[("www-authenticate", &realm)], "")
    })
    .await;
    for server in [refusing_token, forbidding, wanting] {
        let (client, from) = registry(&server);
        let error = client
            .resolve(&from, &by_tag(), &Platform::linux_arm64())
            .await;
        let error = error.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryCredentialHelperFailed);
    }
}
