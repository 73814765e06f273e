//! The login to ECR.

use super::*;

#[tokio::test]
async fn a_registry_s_password_is_taken_apart() {
    let server = server(
        200,
        json!({"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA==", "expiresAt": 1.0}]}),
    )
    .await;
    let known = of(&server).registry_login(&host()).await;
    let known = known.expect("a password");
    assert_eq!(known.user.as_deref(), Some("AWS"));
    assert!(known.renewable);
    assert_eq!(known.password, Secret::new("secret"));
    assert_eq!(known.basic(), Some(Secret::new("QVdTOnNlY3JldA==")));
    assert!(!format!("{known:?}").contains("secret"));
    let signed = server.received()[0]
        .header("authorization")
        .map(str::to_owned);
    let signed = signed.expect("a signature");
    assert!(signed.contains("/eu-west-1/ecr/aws4_request"), "{signed}");
}

#[tokio::test]
async fn a_password_of_another_form_is_refused() {
    for data in [
        json!([]),
        json!([{"authorizationToken": "???"}]),
        json!([{"authorizationToken": "QVdT"}]),
    ] {
        let server = server(200, json!({ "authorizationData": data })).await;
        let error = of(&server)
            .registry_login(&host())
            .await
            .expect_err("a failure");
        assert_eq!(error.code(), Code::AwsRequestFailed);
    }
}

#[tokio::test]
async fn a_password_ends_with_the_credentials_it_was_got_with() {
    let hour = std::time::SystemTime::now() + std::time::Duration::from_hours(1);
    let seconds = |time: std::time::SystemTime| {
        let since = time.duration_since(std::time::UNIX_EPOCH);
        since.expect("a time after 1970").as_secs()
    };
    for (expires_at, end) in [
        (seconds(hour) + 11 * 3600, Some(seconds(hour))),
        (seconds(hour) - 600, Some(seconds(hour) - 600)),
        // A clock that is wrong must not make every password a stale one.
        (1, Some(seconds(hour))),
    ] {
        let server = server(200, json!({"authorizationData": [{"authorizationToken": "QVdTOnNlY3JldA==", "expiresAt": expires_at}]})).await;
        let keys = Credentials::new("ASIAEXAMPLE", "shh", None, Some(hour), "test");
        let aws = signed_in(sdk(&format!("http://{}", server.host()), keys));
        let known = aws.registry_login(&host()).await.expect("a password");
        assert_eq!(known.ends.map(|ends| ends.as_secs()), end);
    }
}
