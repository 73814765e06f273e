//! Gathers the facts for a verification.

use super::images::{FoundImage, Images};
use super::target::provenance;
use crate::domain::provenance::statement::{Record, StatementDetails};
use crate::domain::reference::image_name::ImageName;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::services::Services;

/// Gathers the facts from the registries.
pub async fn gather(config: &VerifyConfig, services: &Services) -> VerifyFacts {
    let images = Images::new(config.account.as_deref(), services);
    let caller = async {
        // A user of another registry may have no credentials for AWS, and looking for some takes seconds.
        let is_aws = |name: &ImageName| name.registry.is_none() || name.ecr().is_some();
        let mut names = std::iter::once(&config.target).chain(&config.source);
        if names.any(is_aws) {
            services.caller().await.ok()
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
            Ok(found) => records(services, found).await,
            Err(_) => Vec::new(),
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

/// The registry's records of an image, each with its details for people.
async fn records(services: &Services, found: &FoundImage) -> Vec<Record> {
    let Ok(registry) = services.registry().await else {
        return Vec::new();
    };
    let (repository, image) = (&found.repository, &found.image.digest);
    let known = provenance(registry, repository, image).await;
    let read = known.into_iter().map(|provenance| async {
        let content = registry
            .artifact_content(repository, &provenance.artifact)
            .await;
        let told = content
            .ok()
            .and_then(|bytes| StatementDetails::read(&bytes, image));
        Record { provenance, told }
    });
    futures_util::future::join_all(read).await
}
