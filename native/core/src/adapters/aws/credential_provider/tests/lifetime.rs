//! Credentials that are kept, and fetched anew before they end.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

#[tokio::test]
async fn credentials_are_kept_while_they_last_and_fetched_once_for_many() {
    let server = server(HOUR).await;
    let provider = sign_in(
        &server,
        keys(),
        vec![role(CredentialSource::Inputs, "x")],
        Events::silent(),
    );
    let answers = futures_util::future::join_all((0..10).map(|_| provider.credentials())).await;
    assert!(answers.iter().all(Result::is_ok));
    assert_eq!(server.lines().len(), 1);
}

#[tokio::test]
async fn the_whole_way_is_walked_again_before_credentials_end() {
    let server = server(60).await;
    let roles = vec![role(CredentialSource::Inputs, "second")];
    let provider = sign_in(&server, oidc(&server), roles, Events::silent());
    for _ in 0..2 {
        provider.credentials().await.expect("credentials");
    }
    let lines = server.lines();
    assert_eq!(lines.len(), 6, "{lines:?}");
    assert_eq!(
        (lines[0].as_str(), lines[3].as_str()),
        ("POST /oidctoken", "POST /oidctoken")
    );
}

/// STS that opens a role once, for so many seconds, and refuses every later call.
async fn opens_once(seconds: u64) -> LoopbackServer {
    let asked = AtomicUsize::new(0);
    LoopbackServer::start(
        move |request, _| match asked.fetch_add(1, Ordering::SeqCst) {
            0 => opened(request, seconds),
            _ => Reply::new(403, &[], ""),
        },
    )
    .await
}

#[tokio::test]
async fn credentials_that_cannot_be_renewed_are_used_until_they_end() {
    let roles = || vec![role(CredentialSource::Inputs, "x")];
    let server = opens_once(60).await;
    let provider = sign_in(&server, keys(), roles(), Events::silent());
    for _ in 0..3 {
        let credentials = provider.credentials().await.expect("credentials");
        assert_eq!(credentials.access_key_id(), "ASIAx");
    }
    assert_eq!(server.lines().len(), 3, "each use tries a renewal");

    let server = opens_once(0).await;
    let provider = sign_in(&server, keys(), roles(), Events::silent());
    provider.credentials().await.expect("credentials");
    for _ in 0..2 {
        provider.credentials().await.expect_err("a refusal");
    }
    assert_eq!(server.lines().len(), 3, "a renewal may succeed later");
}

#[tokio::test]
async fn a_sign_in_that_was_refused_is_not_repeated() {
    let server = refusing("AccessDenied", "no").await;
    let roles = vec![role(CredentialSource::Inputs, "x")];
    let provider = sign_in(&server, keys(), roles, Events::silent());
    for _ in 0..3 {
        provider.credentials().await.expect_err("a refusal");
    }
    assert_eq!(server.lines().len(), 1);
}
