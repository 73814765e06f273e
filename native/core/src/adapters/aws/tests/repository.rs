//! Repositories: looked up and created.

use super::*;
use crate::adapters::aws::delivery::Delivery;

async fn describe(body: Value) -> Result<TagMutability, AwsError> {
    let server = server(200, json!({"repositories": [body]})).await;
    let found = of(&server).repository(&repository()).await?;
    Ok(found.tag_mutability)
}

#[tokio::test]
async fn a_repository_tells_whether_its_tags_move() {
    assert_eq!(describe(json!({})).await, Ok(TagMutability::Mutable));
    assert_eq!(
        describe(json!({"imageTagMutability": "IMMUTABLE"})).await,
        Ok(TagMutability::Immutable)
    );
    let filters = json!([{"filterType": "WILDCARD", "filter": "dev-*"}]);
    assert_eq!(
        describe(json!({"imageTagMutability": "IMMUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters})).await,
        Ok(TagMutability::ImmutableExcept(vec!["dev-*".to_owned()]))
    );
    assert_eq!(
        describe(json!({"imageTagMutability": "MUTABLE_WITH_EXCLUSION", "imageTagMutabilityExclusionFilters": filters})).await,
        Ok(TagMutability::MutableExcept(vec!["dev-*".to_owned()]))
    );
}

#[tokio::test]
async fn the_account_of_the_host_is_asked_and_not_the_caller_s() {
    let server = server(200, json!({"repositories": [{}]})).await;
    let found = of(&server).repository(&repository()).await;
    assert!(found.is_ok(), "{found:?}");
    let asked: Value = serde_json::from_slice(&server.received()[0].body).expect("JSON");
    assert_eq!(
        asked,
        json!({"registryId": "123456789012", "repositoryNames": ["app/web"]})
    );
}

#[tokio::test]
async fn a_missing_repository_is_named() {
    let body = json!({"__type": "RepositoryNotFoundException", "message": "no"});
    let server = server(400, body).await;
    let error = of(&server).repository(&repository()).await;
    let problem = Problem::from(error.expect_err("a failure"));
    assert_eq!(problem.code, Code::EcrRepositoryNotFound);
    insta::assert_snapshot!(problem.hint.expect("a hint"), @"Check the image's name, account and region, or create the repository: `aws ecr create-repository --registry-id 123456789012 --region eu-west-1 --repository-name app/web`");
}

#[tokio::test]
async fn a_repository_is_made_by_the_account_s_defaults() {
    let body = json!({"repository": {
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": true},
        "encryptionConfiguration": {"encryptionType": "KMS"},
    }});
    let server = server(200, body).await;
    let made = of(&server)
        .create_repository(&repository(), &Delivery::default())
        .await;
    let made = made.expect("an answer").expect("a repository");
    insta::assert_snapshot!(made.to_string(), @"immutable tags, scanned on push, KMS encryption");
    let asked: Value = serde_json::from_slice(&server.received()[0].body).expect("JSON");
    assert_eq!(
        asked,
        json!({"registryId": "123456789012", "repositoryName": "app/web"})
    );
}

#[tokio::test]
async fn a_repository_that_somebody_made_meanwhile_is_no_failure() {
    let body = json!({"__type": "RepositoryAlreadyExistsException", "message": "exists"});
    let server = server(400, body).await;
    let made = of(&server)
        .create_repository(&repository(), &Delivery::default())
        .await;
    assert_eq!(made, Ok(None));
}

#[tokio::test]
async fn a_repository_that_may_not_be_made_names_the_permission() {
    let server = server(400, json!({"__type": "AccessDeniedException"})).await;
    let error = of(&server)
        .create_repository(&repository(), &Delivery::default())
        .await;
    let problem = Problem::from(error.expect_err("a refusal"));
    assert_eq!(problem.code, Code::AwsDenied);
    assert_eq!(problem.what, "AWS denies `ecr:CreateRepository`");
}
