//! Gathers the facts for a verification.

use futures_util::stream;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};

use super::images::{FoundImage, Images};
use super::target::provenance;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::{Access, RegistryError};
use crate::domain::provenance::statement::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::services::Services;
use crate::report::cause::Cause;
use crate::report::problem::Problem;

/// Statements that are read at the same time.
const AT_ONCE: usize = 4;

/// Bytes that all statements about one image may have together; one has some 4 KiB.
const STATEMENTS: usize = 16 * 1024 * 1024;

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
        let content = registry.artifact_content(repository, artifact).await;
        Ok::<_, Problem>((content?, provenance))
    });
    let mut contents = stream::iter(read).buffered(AT_ONCE);
    let (mut records, mut bytes) = (Vec::new(), 0);
    while let Some((content, provenance)) = contents.try_next().await? {
        bytes += content.len();
        if bytes > STATEMENTS {
            return Err(RegistryError::AnswerInvalid {
                image: repository.at(image),
                access: Access::Read,
                source: Cause::said(&format!(
                    "its records have more than {STATEMENTS} bytes together, and no more are read"
                )),
            }
            .into());
        }
        records.push(Record::read(provenance, &content, image)?);
    }
    Ok(records)
}

#[cfg(test)]
mod tests;
