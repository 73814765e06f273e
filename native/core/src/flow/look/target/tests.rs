use serde_json::{Value, json};

use super::{provenance, with_repository};
use crate::adapters::aws::error::AwsError;
use crate::adapters::aws::repository::EcrRepository;
use crate::domain::aws::denial::Denial;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::manifest::{OCI_INDEX, OCI_MANIFEST};
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe, STATEMENT_TYPE};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::target::TargetFacts;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::test_support::config::{CUSTOMER, HOST};
use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
use crate::test_support::loopback_server::{Received, Reply};

async fn read(
    answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> Result<Vec<Option<String>>, Code> {
    let registry = LoopbackRegistry::start(answer).await;
    let image = Digest::of(b"image");
    let read = provenance(&registry.client, &registry.repository, &image).await;
    let versions = read.map(|all| all.into_iter().map(|known| known.sensor_version).collect());
    versions.map_err(|problem| problem.code)
}

/// An entry of the list of referrers, with annotations that a test may change.
fn entry(change: impl FnOnce(&mut Value)) -> Value {
    let options = FalconOptions {
        customer_id: CUSTOMER.parse().expect("an ID"),
        cloud_service: None,
        container_name: None,
        falconctl_options: None,
    };
    let recipe = Recipe::new(None, &Digest::of(b"sensor"), &options);
    let mut entry = json!({
        "mediaType": OCI_MANIFEST,
        "digest": Digest::of(b"artifact").as_str(),
        "size": 1,
        "artifactType": STATEMENT_TYPE,
        "annotations": Provenance::annotations(&recipe, &OptionFields::of(&options), Some("7.39.0-7802")),
    });
    change(&mut entry);
    entry
}

fn list(entries: &[Value]) -> Reply {
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    Reply::new(200, &[("content-type", OCI_INDEX)], index.to_string())
}

#[tokio::test]
async fn records_that_cannot_be_read_are_a_problem() {
    for (status, code) in [
        (400, Code::RegistryRequestFailed),
        (403, Code::RegistryDenied),
        (500, Code::RegistryRequestFailed),
    ] {
        assert_eq!(read(move |_| refused(status)).await, Err(code), "{status}");
    }
    let reset = read(|_| Reply::none()).await;
    assert_eq!(reset, Err(Code::RegistryNotReachable));
    let no_list = read(|_| Reply::new(200, &[], "<html>")).await;
    assert_eq!(no_list, Err(Code::RegistryAnswerInvalid));
}

#[tokio::test]
async fn a_registry_without_the_api_and_without_an_index_has_no_records() {
    for status in [404, 405] {
        let answer = move |received: &Received| {
            let is_list = received.line.contains("/referrers/");
            refused(if is_list { status } else { 404 })
        };
        assert_eq!(read(answer).await, Ok(Vec::new()), "{status}");
    }
}

#[tokio::test]
async fn a_record_of_ours_with_a_flaw_is_a_problem_and_that_of_another_tool_is_not() {
    let good = || Ok(vec![Some("7.39.0-7802".to_owned())]);
    let foreign = entry(|entry| entry["annotations"] = json!({"tool": "another"}));
    let other_type = entry(|entry| entry["artifactType"] = json!("application/x"));
    let among_others = [foreign, entry(|_| {}), other_type];
    assert_eq!(read(move |_| list(&among_others)).await, good());
    let flawed = entry(|entry| entry["annotations"]["falcon-patch.sensor"] = json!("latest"));
    let beside_flawed = [entry(|_| {}), flawed];
    assert_eq!(
        read(move |_| list(&beside_flawed)).await,
        Err(Code::RegistryAnswerInvalid)
    );
}

/// A target in whose repository the registry knows no image.
fn target() -> TargetFacts {
    TargetFacts {
        existing: Vec::new(),
        current: None,
        mutability: None,
        repository: Repository::new(HOST, "app/web"),
        is_missing: false,
    }
}

fn unknown_to_aws() -> Result<EcrRepository, AwsError> {
    Err(AwsError::RepositoryNotFound {
        repository: target().repository,
        source: Cause::said("RepositoryNotFoundException"),
    })
}

#[test]
fn a_repository_that_only_aws_knows_to_be_missing_is_missing() {
    let created = with_repository(target(), unknown_to_aws(), true).expect("a target");
    assert!(created.is_missing);
    let problem = with_repository(target(), unknown_to_aws(), false).expect_err("a problem");
    assert_eq!(problem.code, Code::EcrRepositoryNotFound);
    let hint = problem.hint.expect("a hint");
    assert!(hint.contains("`createRepository: true`"), "{hint}");
}

#[test]
fn an_image_in_the_registry_proves_its_repository() {
    let mut target = target();
    let tag = "1.4-falcon".parse().expect("a tag");
    target.existing.push((tag, Digest::of(b"image")));
    assert!(with_repository(target, unknown_to_aws(), true).is_err());
}

#[test]
fn other_answers_of_aws_do_not_make_a_repository_missing() {
    let denied = AwsError::Denied {
        denial: Denial::of("no", "ecr:DescribeRepositories"),
        source: Cause::said("AccessDeniedException"),
    };
    let unknown = with_repository(target(), Err(denied), true).expect("a target");
    assert_eq!((unknown.is_missing, unknown.mutability), (false, None));
    let failed = AwsError::RequestFailed {
        purpose: "look up".to_owned(),
        source: Cause::said("ServerException"),
    };
    assert!(with_repository(target(), Err(failed), true).is_err());
    let found = EcrRepository {
        tag_mutability: TagMutability::Immutable,
    };
    let found = with_repository(target(), Ok(found), true).expect("a target");
    assert!(!found.is_missing);
    assert_eq!(found.mutability, Some(TagMutability::Immutable));
}
