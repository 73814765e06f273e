//! What the target's tags name before the run.

use std::sync::Arc;

use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::RegistryError;
use crate::domain::image::manifest::ManifestReference;
use crate::domain::platform::Platform;
use crate::domain::provenance::record::{Provenance, STATEMENT_TYPE};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::target::CurrentImage;
use crate::report::problem::Problem;

/// A look at the target's repository.
#[derive(Clone, Copy)]
pub(super) struct Now<'a> {
    pub(super) config: &'a PatchConfig,
    pub(super) registry: &'a Registry,
    pub(super) repository: &'a Repository,
}

impl Now<'_> {
    /// What the target's tag names, and the image itself where that may be what a patch would make.
    pub(super) async fn target_tag(&self) -> Fact<(Option<Digest>, Option<CurrentImage>)> {
        let tag = &self.config.target_tag;
        if !self.config.skip_unchanged {
            return Ok((self.registry.digest_of(self.repository, tag).await?, None));
        }
        let reference = ManifestReference::Tag(tag.clone());
        let arm64 = Platform::linux_arm64();
        let (resolved, image) = match self
            .registry
            .find(self.repository, &reference, &arm64)
            .await
        {
            Ok(found) => found,
            Err(RegistryError::ImageNotFound { .. }) => return Ok((None, None)),
            // Whatever has the tag is to be overwritten, so it need not be an image.
            Err(RegistryError::AnswerInvalid { .. }) => {
                return Ok((self.registry.digest_of(self.repository, tag).await?, None));
            }
            Err(error) => return Err(error.into()),
        };
        let current = match image.filter(|_| !resolved.is_index) {
            Some(image) => Some(CurrentImage {
                provenance: provenance(self.registry, self.repository, &image.digest).await,
                image: Arc::new(image),
            }),
            None => None,
        };
        Ok((Some(resolved.digest), current))
    }

    /// What those of the other wanted tags name that exist.
    pub(super) async fn other_tags(&self) -> Fact<Vec<(Tag, Digest)>> {
        let asked = self.config.other_tags().map(|tag| async {
            let digest = self.registry.digest_of(self.repository, tag).await?;
            Ok::<_, Problem>(digest.map(|digest| (tag.clone(), digest)))
        });
        let found = futures_util::future::try_join_all(asked).await?;
        Ok(found.into_iter().flatten().collect())
    }
}

/// What the registry keeps of an image's making; without an answer the image counts as one that
/// nothing is known of.
pub async fn provenance(
    registry: &Registry,
    repository: &Repository,
    image: &Digest,
) -> Vec<Provenance> {
    let found = registry.referrers(repository, image, STATEMENT_TYPE).await;
    let found = found.unwrap_or_default();
    found.iter().filter_map(Provenance::read).collect()
}
