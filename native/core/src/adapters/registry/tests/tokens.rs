//! Registries that send one elsewhere for a token, or want the password themselves.

use std::sync::{Arc, Mutex};

use super::token_registry::{BASIC, client, password, repository, tokens_bought, with_tokens};
use super::{by_tag, serve_image};
use crate::domain::platform::Platform;
use crate::domain::registry_login::RegistryLogin;
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::report::problem::Problem;
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

#[tokio::test]
async fn a_token_is_bought_once_with_the_password_that_goes_nowhere_else() {
    let server = with_tokens("").await;
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
    let registry = client(Some(password()), events);
    let repository = repository(server.host());
    let reference = by_tag();
    let arm64 = Platform::linux_arm64();
    let (a, b) = tokio::join!(
        registry.resolve(&repository, &reference, &arm64),
        registry.resolve(&repository, &reference, &arm64)
    );
    assert!(a.is_ok() && b.is_ok(), "{a:?} {b:?}");
    let bought = tokens_bought(&server);
    assert_eq!(bought.len(), 1);
    assert_eq!(
        bought[0].line,
        "GET /token?a=b&account=ci&service=reg.example&scope=repository%3Aapp%2Fweb%3Apull"
    );
    assert_eq!(bought[0].header("authorization"), Some(BASIC));
    for received in server.received() {
        let carried = received.header("authorization");
        let is_token = carried == Some("Bearer token-1");
        let is_issuer = received.line.contains(" /token");
        assert!(carried.is_none() || is_token || is_issuer, "{received:?}");
    }
    for secret in ["hunter2", "Y2k6aHVudGVyMg==", "token-1"] {
        let masked = masked.lock().expect("no panic");
        assert!(masked.iter().any(|known| known == secret), "{secret}");
    }
}

#[tokio::test]
async fn without_a_sign_in_the_token_is_asked_for_anonymously() {
    let server = with_tokens("").await;
    let registry = client(None, Events::silent());
    let found = registry
        .resolve(
            &repository(server.host()),
            &by_tag(),
            &Platform::linux_arm64(),
        )
        .await;
    assert!(found.is_ok(), "{found:?}");
    let bought = tokens_bought(&server);
    assert_eq!(bought[0].header("authorization"), None);
    assert!(!bought[0].line.contains("account="), "{}", bought[0].line);
}

#[tokio::test]
async fn an_identity_token_is_sent_by_a_form_alone() {
    let server = with_tokens("").await;
    let token = RegistryLogin::identity_token(Secret::new("idt+1"));
    let registry = client(Some(token), Events::silent());
    let found = registry
        .resolve(
            &repository(server.host()),
            &by_tag(),
            &Platform::linux_arm64(),
        )
        .await;
    assert!(found.is_ok(), "{found:?}");
    let bought = &tokens_bought(&server)[0];
    assert_eq!(bought.line, "POST /token?a=b");
    assert_eq!(
        String::from_utf8_lossy(&bought.body),
        "grant_type=refresh_token&service=reg.example&scope=repository%3Aapp%2Fweb%3Apull&client_id=falcon-arm64-patch&refresh_token=idt%2B1"
    );
}

#[tokio::test]
async fn a_sign_in_that_is_refused_is_tried_once() {
    for status in [400, 401, 403] {
        let server = LoopbackServer::start(move |received, _| {
            let host = received.header("host").unwrap_or_default();
            if received.line.contains(" /token") {
                let body = r#"{"errors":[{"code":"UNAUTHORIZED","message":"incorrect username or password"}]}"#;
                return Reply::new(status, &[], body);
            }
            let realm = format!(r#"Bearer realm="http://{host}/token""#);
            Reply::new(401, &[("www-authenticate", &realm)], "")
        })
        .await;
        let registry = client(Some(password()), Events::silent());
        let result = registry
            .resolve(
                &repository(server.host()),
                &by_tag(),
                &Platform::linux_arm64(),
            )
            .await;
        let problem = Problem::from(result.expect_err("a failure"));
        assert_eq!(problem.code, Code::RegistryDenied);
        assert!(
            problem.why.join(" ").contains("incorrect username"),
            "{problem:?}"
        );
        assert_eq!(tokens_bought(&server).len(), 1);
        assert_eq!(server.received().len(), 2);
    }
}

#[tokio::test]
async fn no_password_is_sent_without_tls() {
    for realm in [
        "http://auth.example/token",
        "http://127.0.0.1.evil.example/",
        "ftp://auth.example/",
        "auth",
    ] {
        let server = LoopbackServer::start(move |_, _| {
            let challenge = format!(r#"Bearer realm="{realm}""#);
            Reply::new(401, &[("www-authenticate", &challenge)], "")
        })
        .await;
        let registry = client(Some(password()), Events::silent());
        let result = registry
            .resolve(
                &repository(server.host()),
                &by_tag(),
                &Platform::linux_arm64(),
            )
            .await;
        let problem = Problem::from(result.expect_err("a failure"));
        assert_eq!(problem.code, Code::RegistryAnswerInvalid, "{realm}");
        assert!(problem.what.contains("HTTPS only"), "{problem:?}");
    }
}

#[tokio::test]
async fn a_token_s_issuer_cannot_pass_the_sign_in_on() {
    let elsewhere = LoopbackServer::start(|_, _| Reply::new(200, &[], r#"{"token":"t"}"#)).await;
    let location = format!("http://{}/token", elsewhere.host());
    let server = LoopbackServer::start(move |received, _| {
        let host = received.header("host").unwrap_or_default();
        if received.line.contains(" /token") {
            return Reply::new(307, &[("location", &location)], "");
        }
        let realm = format!(r#"Bearer realm="http://{host}/token""#);
        Reply::new(401, &[("www-authenticate", &realm)], "")
    })
    .await;
    let token = RegistryLogin::identity_token(Secret::new("idt"));
    let registry = client(Some(token), Events::silent());
    let result = registry
        .resolve(
            &repository(server.host()),
            &by_tag(),
            &Platform::linux_arm64(),
        )
        .await;
    assert!(result.is_err());
    assert!(elsewhere.received().is_empty());
}

#[tokio::test]
async fn a_registry_that_wants_the_password_gets_it_once_it_has_asked() {
    let server = LoopbackServer::start(|received, _| {
        if received.header("authorization") == Some(BASIC) {
            return serve_image(received);
        }
        Reply::new(401, &[("www-authenticate", r#"Basic realm="x""#)], "")
    })
    .await;
    let registry = client(Some(password()), Events::silent());
    let found = registry
        .resolve(
            &repository(server.host()),
            &by_tag(),
            &Platform::linux_arm64(),
        )
        .await;
    assert!(found.is_ok(), "{found:?}");
    let without = |r: &&Received| r.header("authorization").is_none();
    assert_eq!(server.received().iter().filter(without).count(), 1);
}

#[tokio::test]
async fn a_wrong_password_is_shown_once() {
    let server = LoopbackServer::start(|_, _| {
        Reply::new(401, &[("www-authenticate", r#"Basic realm="x""#)], "no")
    })
    .await;
    let registry = client(Some(password()), Events::silent());
    let result = registry
        .resolve(
            &repository(server.host()),
            &by_tag(),
            &Platform::linux_arm64(),
        )
        .await;
    let problem = Problem::from(result.expect_err("a failure"));
    assert_eq!(problem.code, Code::RegistryDenied);
    let hint = problem.hint.expect("a hint");
    assert!(hint.contains("Docker configuration"), "{hint}");
    let shown = |r: &&Received| r.header("authorization").is_some();
    assert_eq!(server.received().iter().filter(shown).count(), 1);
}
