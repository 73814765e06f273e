use super::with_repository;
use crate::adapters::aws::error::AwsError;
use crate::adapters::aws::repository::EcrRepository;
use crate::domain::aws::denial::Denial;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::target::TargetFacts;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::test_support::config::HOST;

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
    assert!(
        hint.starts_with("Check the name in `targetImage`"),
        "{hint}"
    );
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
