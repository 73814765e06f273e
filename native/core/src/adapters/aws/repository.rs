//! ECR's repositories: what they are like, and how they come to be.

use std::fmt;

use aws_sdk_ecr::operation::create_repository::CreateRepositoryError;
use aws_sdk_ecr::types;
use aws_sdk_ecr::types::{ImageScanningConfiguration, ImageTagMutability};

use super::account::Aws;
use super::action::Action;
use super::call::{Call, usual_host};
use super::delivery::Delivery;
use super::error::AwsError;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// Facts that AWS tells of a repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EcrRepository {
    /// Setting that says if its tags can be moved.
    pub tag_mutability: TagMutability,
}

/// A repository that was made, with the settings that its account gives by default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedRepository {
    /// Setting that says if its tags can be moved.
    pub tag_mutability: TagMutability,
    /// True if ECR scans what is pushed, by the repository's own setting.
    pub scans_on_push: bool,
    /// Encryption that ECR uses for it, such as `AES256`.
    pub encryption: Option<String>,
}

impl Aws {
    /// Asks what a repository is like; [`AwsError::Denied`] means that it may be there all the same.
    ///
    /// Only ECR has an answer; ask [`Repository::ecr`] first.
    pub async fn repository(&self, repository: &Repository) -> Result<EcrRepository, AwsError> {
        let purpose = format!("look up the repository `{repository}`");
        let (host, call) =
            self.repository_call(repository, Action::DescribeRepositories, purpose)?;
        self.0.provider.credentials().await?;
        let request = self.ecr(&host.region).describe_repositories();
        let request = request
            .registry_id(&host.account)
            .repository_names(&repository.name);
        let answer = request.send().await.map_err(|error| call.failed(error))?;
        let found = answer.repositories.unwrap_or_default().into_iter().next();
        let found = found.ok_or_else(|| call.incomplete("repository"))?;
        Ok(EcrRepository {
            tag_mutability: tag_mutability(&found),
        })
    }

    /// Creates a repository with whatever its account has for defaults; none if one is there already. That may be of
    /// an earlier try, where `delivery` counts one.
    pub async fn create_repository(
        &self,
        repository: &Repository,
        delivery: &Delivery,
    ) -> Result<Option<CreatedRepository>, AwsError> {
        let purpose = format!("create the repository `{repository}`");
        let (host, call) = self.repository_call(repository, Action::CreateRepository, purpose)?;
        self.0.provider.credentials().await?;
        let request = self.ecr(&host.region).create_repository();
        let request = request
            .registry_id(&host.account)
            .repository_name(&repository.name);
        let request = request.customize().interceptor(delivery.clone());
        let made = match request.send().await {
            Ok(answer) => answer.repository,
            Err(error) if is_there_already(error.as_service_error()) => return Ok(None),
            Err(error) => return Err(call.failed(error)),
        };
        let made = made.ok_or_else(|| call.incomplete("repository"))?;
        let encryption = made.encryption_configuration();
        Ok(Some(CreatedRepository {
            tag_mutability: tag_mutability(&made),
            scans_on_push: made
                .image_scanning_configuration()
                .is_some_and(ImageScanningConfiguration::scan_on_push),
            encryption: encryption.map(|how| how.encryption_type().as_str().to_owned()),
        }))
    }

    fn repository_call<'a>(
        &'a self,
        repository: &'a Repository,
        action: Action,
        purpose: String,
    ) -> Result<(EcrHost, Call<'a>), AwsError> {
        let Some(host) = repository.ecr() else {
            return Err(AwsError::RequestFailed {
                purpose,
                source: Cause::said("the registry is not one of ECR's"),
            });
        };
        let call = Call {
            action,
            purpose,
            host: usual_host("api.ecr", &host.region),
            repository: Some(repository),
            origin: self.origin(),
        };
        Ok((host, call))
    }
}

fn is_there_already(error: Option<&CreateRepositoryError>) -> bool {
    error.is_some_and(CreateRepositoryError::is_repository_already_exists_exception)
}

fn tag_mutability(repository: &types::Repository) -> TagMutability {
    let filters = || {
        let filters = repository.image_tag_mutability_exclusion_filters().iter();
        filters.map(|filter| filter.filter().to_owned()).collect()
    };
    match repository.image_tag_mutability() {
        Some(ImageTagMutability::Immutable) => TagMutability::Immutable,
        Some(ImageTagMutability::ImmutableWithExclusion) => {
            TagMutability::ImmutableExcept(filters())
        }
        Some(ImageTagMutability::MutableWithExclusion) => TagMutability::MutableExcept(filters()),
        // Mutable is ECR's default, and what a later setting forbids the push itself will tell.
        _ => TagMutability::Mutable,
    }
}

impl fmt::Display for CreatedRepository {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.tag_mutability {
            TagMutability::Mutable | TagMutability::MutableExcept(_) => "mutable tags",
            TagMutability::Immutable | TagMutability::ImmutableExcept(_) => "immutable tags",
        })?;
        f.write_str(if self.scans_on_push {
            ", scanned on push"
        } else {
            ", not scanned on push"
        })?;
        match &self.encryption {
            Some(encryption) => write!(f, ", {encryption} encryption"),
            None => Ok(()),
        }
    }
}
