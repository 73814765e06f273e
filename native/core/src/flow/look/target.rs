//! Finds the images that the target's tags name before the run.

use std::sync::Arc;

use super::images::{Images, named_by};
use super::keys::KeyLookup;
use super::records::RecordLookup;
use crate::adapters::aws::error::AwsError;
use crate::adapters::aws::repository::EcrRepository;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::RegistryError;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::platform::Platform;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::record::Provenance;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::target::{CurrentImage, TargetFacts};
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};

/// A look at the target's repository.
#[derive(Clone, Copy)]
pub(super) struct TargetLookup<'a> {
    pub(super) config: &'a PatchConfig,
    pub(super) services: &'a Services,
    pub(super) keys: &'a KeyLookup<'a>,
}

impl TargetLookup<'_> {
    /// Finds what the tags name, in the first pass.
    pub(super) async fn look(&self, images: &Images<'_>) -> Fact<TargetFacts> {
        let repository = images.repository(&self.config.target).await?;
        let registry = self.services.registry().await?;
        let target_tag = self.target_tag(registry, &repository);
        let other_tags = self.other_tags(registry, &repository);
        match tokio::try_join!(target_tag, other_tags) {
            Ok(((named, current), mut existing)) => {
                let named = named.map(|digest| (self.config.target_tag.clone(), digest));
                existing.splice(0..0, named);
                Ok(TargetFacts {
                    existing,
                    current,
                    mutability: None,
                    repository,
                    is_missing: false,
                })
            }
            Err(problem) => missing(repository, problem, self.config.create_repository),
        }
    }

    /// Finds the digest that the target's tag names, with the image itself where it may be what a patch would make.
    async fn target_tag(
        &self,
        registry: &Registry,
        repository: &Repository,
    ) -> Fact<(Option<Digest>, Option<CurrentImage>)> {
        let tag = &self.config.target_tag;
        if !self.config.skip_unchanged {
            return Ok((registry.digest_of(repository, tag).await?, None));
        }
        let reference = ManifestReference::Tag(tag.clone());
        let arm64 = Platform::linux_arm64();
        let (resolved, image) = match registry.find(repository, &reference, &arm64).await {
            Ok(found) => found,
            Err(RegistryError::ImageNotFound { .. }) => return Ok((None, None)),
            // The tag is to be overwritten, so what it names need not be an image.
            Err(RegistryError::AnswerInvalid { .. }) => {
                return Ok((registry.digest_of(repository, tag).await?, None));
            }
            Err(error) => return Err(error.into()),
        };
        let current = match image.filter(|_| !resolved.is_index) {
            Some(image) => Some(CurrentImage {
                provenance: self.provenance(registry, repository, &image.digest).await,
                image: Arc::new(image),
            }),
            None => None,
        };
        Ok((Some(resolved.digest), current))
    }

    async fn provenance(
        &self,
        registry: &Registry,
        repository: &Repository,
        image: &Digest,
    ) -> Fact<KnownRecords<Provenance>> {
        let keys = self.keys.find().await?;
        let lookup = RecordLookup {
            registry,
            repository,
            image,
            trust: &keys.trust,
        };
        lookup.provenance().await
    }

    /// Finds those of the other wanted tags that exist.
    async fn other_tags(
        &self,
        registry: &Registry,
        repository: &Repository,
    ) -> Fact<Vec<(Tag, Digest)>> {
        let asked = self.config.other_tags().map(|tag| async {
            let digest = registry.digest_of(repository, tag).await?;
            Ok::<_, Problem>(digest.map(|digest| (tag.clone(), digest)))
        });
        let found = futures_util::future::try_join_all(asked).await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// Adds what AWS knows of the repository, in the second pass: the mutability of its tags, or that it is missing,
/// where the registry only knew of no image. Without the permission both stay unknown, and the push shows them.
pub(super) async fn at_aws(
    target: TargetFacts,
    config: &PatchConfig,
    services: &Services,
) -> Fact<TargetFacts> {
    if target.is_missing {
        return Ok(target);
    }
    let aws = services.aws().await?;
    let found = aws.repository(&target.repository).await;
    with_repository(target, found, config.create_repository)
}

/// Adds AWS's answer about the repository.
fn with_repository(
    mut target: TargetFacts,
    found: Result<EcrRepository, AwsError>,
    create: bool,
) -> Fact<TargetFacts> {
    match found {
        Ok(repository) => {
            target.mutability = Some(repository.tag_mutability);
            Ok(target)
        }
        Err(error) if error.code() == Code::AwsDenied => Ok(target),
        // An image that the registry has proves its repository.
        Err(error) if target.existing.is_empty() => {
            missing(target.repository, error.into(), create)
        }
        Err(error) => Err(error.into()),
    }
}

/// Accepts a missing repository where it may be created.
fn missing(repository: Repository, mut problem: Problem, create: bool) -> Fact<TargetFacts> {
    if problem.code != Code::EcrRepositoryNotFound {
        return Err(problem);
    }
    if create {
        return Ok(TargetFacts {
            existing: Vec::new(),
            current: None,
            mutability: None,
            repository,
            is_missing: true,
        });
    }
    if let Some(hint) = &mut problem.hint {
        hint.push_str("; with `createRepository: true` the task creates it");
    }
    Err(named_by("targetImage", problem))
}

#[cfg(test)]
mod tests;
