//! Gathers the facts for a verification.

use super::images::{FoundImage, Images};
use super::target::provenance;
use crate::adapters::registry::client::Registry;
use crate::domain::provenance::statement::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::services::Services;
use crate::report::problem::Problem;

/// Gathers the facts from the registries.
pub async fn gather(config: &VerifyConfig, services: &Services) -> VerifyFacts {
    let images = Images::new(config.account.as_deref(), services);
    let caller = async {
        // A user of another registry may have no credentials for AWS, and looking for some takes seconds.
        let is_aws = |name: &ImageName| name.registry.is_none() || name.ecr().is_some();
        let mut names = std::iter::once(&config.target).chain(&config.source);
        if names.any(is_aws) {
            Some(services.caller().await)
        } else {
            None
        }
    };
    let source = async {
        match &config.source {
            Some(name) => Some(images.find("source", name).await.map(ImageFacts::from)),
            None => None,
        }
    };
    let target = async {
        let found = images.find("target", &config.target).await;
        let records = match &found {
            Ok(found) => found_records(services, found).await,
            Err(problem) => Err(problem.clone()),
        };
        (found.map(ImageFacts::from), records)
    };
    let (caller, (target, records), source) = tokio::join!(caller, target, source);
    VerifyFacts {
        caller,
        target,
        records,
        source,
    }
}

async fn found_records(services: &Services, found: &FoundImage) -> Fact<Vec<Record>> {
    let registry = services.registry().await?;
    records(registry, &found.repository, &found.image.digest).await
}

/// The registry's records of an image, each with its details for people.
async fn records(
    registry: &Registry,
    repository: &Repository,
    image: &Digest,
) -> Fact<Vec<Record>> {
    let known = provenance(registry, repository, image).await?;
    let read = known.into_iter().map(|provenance| async {
        let artifact = &provenance.artifact;
        let content = registry.artifact_content(repository, artifact).await?;
        Ok::<_, Problem>(Record::read(provenance, &content, image)?)
    });
    futures_util::future::try_join_all(read).await
}

#[cfg(test)]
mod tests;
