//! Credentials that are kept, and fetched anew before they end.

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
