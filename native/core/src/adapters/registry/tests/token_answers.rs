//! Tokens as their issuers grant them: scopes and lifetimes.

use super::token_registry::{client, password, repository, tokens_bought, with_tokens};
use super::{by_tag, serve_image};
use crate::domain::platform::Platform;
use crate::report::code::Code;
use crate::report::event::Events;
use crate::report::problem::Explain as _;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

#[tokio::test]
async fn a_token_that_has_run_out_is_bought_anew() {
    let server = with_tokens(r#","expires_in":1"#).await;
    let registry = client(Some(password()), Events::silent());
    let repository = repository(server.host());
    for _ in 0..2 {
        let found = registry
            .resolve(&repository, &by_tag(), &Platform::linux_arm64())
            .await;
        assert!(found.is_ok(), "{found:?}");
    }
    assert!(tokens_bought(&server).len() > 1);
    let refused = |r: &&Received| r.header("authorization").is_none();
    let received = server.received();
    assert_eq!(
        received.iter().filter(refused).count(),
        1,
        "only the first request had nothing to show"
    );
}

#[tokio::test]
async fn the_scope_of_the_challenge_is_kept_where_ours_is_not_in_it() {
    for (scope, expected) in [
        (
            "repository:cache/app/web:pull",
            "scope=repository%3Aapp%2Fweb%3Apull&scope=repository%3Acache%2Fapp%2Fweb%3Apull",
        ),
        ("aws", "scope=repository%3Aapp%2Fweb%3Apull&scope=aws"),
        (
            "repository:app/web2:pull repository:app/web:push",
            "scope=repository%3Aapp%2Fweb%3Apull&scope=repository%3Aapp%2Fweb2%3Apull&scope=repository%3Aapp%2Fweb%3Apush",
        ),
        (
            "repository:base:pull repository:app/web:*",
            "scope=repository%3Aapp%2Fweb%3Apull",
        ),
        ("", "scope=repository%3Aapp%2Fweb%3Apull"),
    ] {
        let server = LoopbackServer::start(move |received, _| {
            let host = received.header("host").unwrap_or_default();
            if received.line.contains(" /token") {
                return Reply::new(200, &[], r#"{"token":"t"}"#);
            }
            if received.header("authorization").is_some() {
                return serve_image(received);
            }
            let realm = format!(r#"Bearer realm="http://{host}/token",scope="{scope}""#);
            Reply::new(401, &[("www-authenticate", &realm)], "")
        })
        .await;
        let registry = client(None, Events::silent());
        let found = registry
            .resolve(
                &repository(server.host()),
                &by_tag(),
                &Platform::linux_arm64(),
            )
            .await;
        assert!(found.is_ok(), "{found:?}");
        assert_eq!(
            tokens_bought(&server)[0].line,
            format!("GET /token?{expected}")
        );
    }
}

#[tokio::test]
async fn a_token_is_read_whatever_is_beside_it() {
    for body in [
        r#"{"token":"","access_token":"t"}"#,
        r#"{"token":null,"access_token":"t"}"#,
        r#"{"token":"t","expires_in":-1}"#,
        r#"{"token":"t","expires_in":99999999999999999999}"#,
        r#"{"token":"t","expires_in":1e300}"#,
        r#"{"token":"t","expires_in":"3600"}"#,
        r#"{"token":"t","expires_in":"soon"}"#,
        r#"{"token":"t","expires_in":300.5}"#,
    ] {
        let server = LoopbackServer::start(move |received, _| {
            let host = received.header("host").unwrap_or_default();
            if received.line.contains(" /token") {
                return Reply::new(200, &[], body);
            }
            if received.header("authorization") == Some("Bearer t") {
                return serve_image(received);
            }
            let realm = format!(r#"Bearer realm="http://{host}/token""#);
            Reply::new(401, &[("www-authenticate", &realm)], "")
        })
        .await;
        let registry = client(None, Events::silent());
        let repository = repository(server.host());
        for _ in 0..2 {
            let found = registry
                .resolve(&repository, &by_tag(), &Platform::linux_arm64())
                .await;
            assert!(found.is_ok(), "{body}: {found:?}");
        }
        assert_eq!(tokens_bought(&server).len(), 1, "{body}");
    }
}

#[tokio::test]
async fn a_token_that_never_runs_out_is_bought_once() {
    let server = with_tokens(r#","expires_in":18446744073709551615"#).await;
    let registry = client(Some(password()), Events::silent());
    let repository = repository(server.host());
    for _ in 0..2 {
        let found = registry
            .resolve(&repository, &by_tag(), &Platform::linux_arm64())
            .await;
        assert!(found.is_ok(), "{found:?}");
    }
    assert_eq!(tokens_bought(&server).len(), 1);
}

#[tokio::test]
async fn a_token_that_does_not_help_is_not_bought_again() {
    let server = LoopbackServer::start(|received, _| {
        let host = received.header("host").unwrap_or_default();
        if received.line.contains(" /token") {
            return Reply::new(200, &[], r#"{"access_token":"t"}"#);
        }
        let realm = format!(r#"Bearer realm="http://{host}/token",error="insufficient_scope""#);
        Reply::new(401, &[("www-authenticate", &realm)], "")
    })
    .await;
    let registry = client(None, Events::silent());
    let result = registry
        .resolve(
            &repository(server.host()),
            &by_tag(),
            &Platform::linux_arm64(),
        )
        .await;
    let error = result.expect_err("a failure");
    assert_eq!(error.code(), Code::RegistryDenied);
    assert_eq!(tokens_bought(&server).len(), 1);
    assert_eq!(server.received().len(), 3);
}
