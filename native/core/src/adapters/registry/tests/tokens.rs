//! Registries that send one elsewhere for a token, or want the password themselves.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::{by_tag, quick, serve_image};
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::{Credentials, LoginSource};
use crate::adapters::registry::credentials::error::SignInError;
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

/// Has the same sign-in for every registry on this machine.
struct Holding(Option<RegistryLogin>);

impl LoginSource for Holding {
    fn fetch<'a>(
        &'a self,
        repository: &'a Repository,
    ) -> crate::adapters::registry::credentials::cache::LoginFuture<'a> {
        Box::pin(async move {
            Ok(self
                .0
                .clone()
                .filter(|_| repository.registry.starts_with("127.")))
        })
    }
}

fn password() -> RegistryLogin {
    RegistryLogin::password("ci", Secret::new("hunter2"))
}

const BASIC: &str = "Basic Y2k6aHVudGVyMg==";

fn client(sign_in: Option<RegistryLogin>, events: Events) -> Registry {
    let credentials = Credentials::new(Holding(sign_in), events);
    Registry::with_policy(credentials, quick()).expect("a client")
}

fn repository(host: String) -> Repository {
    Repository {
        registry: host,
        name: "app/web".to_owned(),
    }
}

/// A registry that lets in requests with the token that its own issuer gave last.
async fn with_tokens(life: &'static str) -> LoopbackServer {
    let issued = Arc::new(AtomicUsize::new(0));
    LoopbackServer::start(move |received, _| {
        let host = received.header("host").unwrap_or_default().to_owned();
        if received.line.contains(" /token") {
            let nth = issued.fetch_add(1, Ordering::SeqCst) + 1;
            let body = format!(r#"{{"token":"token-{nth}"{life}}}"#);
            return Reply::new(200, &[], body);
        }
        let good = format!("Bearer token-{}", issued.load(Ordering::SeqCst));
        if received.header("authorization") == Some(good.as_str()) {
            return serve_image(received);
        }
        let realm = format!(r#"Bearer realm="http://{host}/token?a=b",service="reg.example",scope="repository:app/web:pull,push""#);
        Reply::new(401, &[("www-authenticate", &realm)], "")
    })
    .await
}

fn tokens_bought(server: &LoopbackServer) -> Vec<Received> {
    let all = server.received().into_iter();
    all.filter(|received| received.line.contains(" /token"))
        .collect()
}

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
    fn fetch<'a>(
        &'a self,
        _: &'a Repository,
    ) -> crate::adapters::registry::credentials::cache::LoginFuture<'a> {
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
