//! Roles that are denied, and tokens that are not issued.

use super::*;

#[tokio::test]
async fn a_role_that_is_denied_is_told_with_what_its_trust_policy_lacks() {
    let server = refusing(
        "AccessDenied",
        "User: arn:aws:iam::1:user/ci is not authorized to perform: sts:AssumeRole",
    )
    .await;
    let provider = sign_in(
        &server,
        keys(),
        vec![role(CredentialSource::Inputs, "x")],
        Events::silent(),
    );
    assert!(provider.credentials().await.is_err());
    let error = provider.credentials().await.expect_err("a failure");
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::AwsRoleDenied);
    insta::assert_snapshot!(problem.what, @"AWS denies to assume the role `arn:aws:iam::123456789012:role/x` of `awsRoleArn`");
    assert_eq!(
        problem.why,
        [
            "request 4-5-6: AccessDenied: User: arn:aws:iam::1:user/ci is not authorized to perform: sts:AssumeRole"
        ]
    );
    insta::assert_snapshot!(problem.hint.expect("a hint"), @"Have the trust policy of `arn:aws:iam::123456789012:role/x` name these credentials' user or role, set `awsExternalId`, or the external ID of the connection, if its condition demands one, and allow them `sts:AssumeRole` on it");
    assert_eq!(server.lines().len(), 1, "a refused sign-in is not repeated");
}

#[tokio::test]
async fn a_denied_token_shows_the_condition_that_would_fit() {
    let server = refusing(
        "AccessDenied",
        "Not authorized to perform sts:AssumeRoleWithWebIdentity",
    )
    .await;
    let error = refused(
        &server,
        oidc(&server),
        vec![role(CredentialSource::Inputs, "second")],
    )
    .await;
    assert_eq!(error.code(), Code::AwsRoleDenied);
    insta::assert_snapshot!(error.hint().expect("a hint"), @r#"Have the trust policy of `arn:aws:iam::123456789012:role/opened` allow `sts:AssumeRoleWithWebIdentity` to the provider `vstoken.dev.azure.com/5d0c` with `{"StringEquals": {"vstoken.dev.azure.com/5d0c:sub": "sc://contoso/web/aws", "vstoken.dev.azure.com/5d0c:aud": "api://AzureADTokenExchange"}}`"#);
    assert_eq!(server.lines().len(), 2, "nothing else is tried");
}

#[tokio::test]
async fn the_codes_of_sts_become_ours() {
    for (code, message, expected) in [
        (
            "InvalidIdentityToken",
            "No OpenIDConnect provider found",
            Code::AwsOidcRefused,
        ),
        ("IDPRejectedClaim", "no", Code::AwsOidcRefused),
        (
            "ExpiredTokenException",
            "Token expired",
            Code::AwsOidcRefused,
        ),
        (
            "ValidationError",
            "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            Code::AwsRoleDurationRefused,
        ),
        (
            "RegionDisabledException",
            "STS is not activated in this region",
            Code::AwsRequestFailed,
        ),
    ] {
        let server = refusing(code, message).await;
        let error = refused(&server, oidc(&server), Vec::new()).await;
        assert_eq!(error.code(), expected, "{code}");
        assert!(!format!("{error:?}").contains(&token()), "{code}");
    }
    let server = refusing("InvalidClientTokenId", "no").await;
    let error = refused(&server, keys(), vec![role(CredentialSource::Inputs, "x")]).await;
    assert_eq!(error.code(), Code::AwsCredentialsInvalid);
}

#[tokio::test]
async fn without_a_token_nothing_else_is_asked() {
    let server = LoopbackServer::start(|_, _| Reply::new(401, &[], "")).await;
    let error = refused(
        &server,
        oidc(&server),
        vec![role(CredentialSource::Inputs, "x")],
    )
    .await;
    assert_eq!(error.code(), Code::AwsOidcFailed);
    assert_eq!(server.lines(), ["POST /oidctoken"]);
}
