//! The pushed image: read back, and named by tags.

use std::sync::Arc;

use crate::domain::image::former_image::FormerImage;
use crate::domain::image::proof::{Evidence, prove_image};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::effect::Effect;
use crate::flow::plan::ready::Ready;
use crate::flow::run::context::Run;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Reads the pushed image by digest, and compares it with the source once more.
    pub(in crate::flow::run) async fn read_back(
        &self,
        pushed: &Digest,
        source: &RegistryImage,
        ready: &Ready<'_>,
    ) -> Result<StepOutcome, Problem> {
        let registry = self.services.registry().await?;
        let image = registry.image(&ready.target.repository, pushed).await?;
        let evidence = Evidence {
            platform: &Platform::linux_arm64(),
            diff_ids: &source.diff_ids(),
            config: source.runtime_config(),
        };
        // A warning of undocumented additions was logged before the push.
        prove_image(evidence, &image, &ready.options)?;
        Ok(StepOutcome::ReadBack(Arc::new(image)))
    }

    /// Puts a tag on the image.
    pub(in crate::flow::run) async fn add_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        former: Option<&FormerImage>,
        image: &RegistryImage,
    ) -> Result<StepOutcome, Problem> {
        // A patch that was repeated has the digest that it had before.
        let replaced = former.filter(|former| former.digest != image.digest);
        self.put_tag(repository, tag, &image.manifest, replaced)
            .await?;
        Ok(StepOutcome::Nothing)
    }

    /// Brings the pushed image into the engine under the target's name, because the inputs ask for it.
    pub(in crate::flow::run) async fn keep_image(
        &self,
        repository: &Repository,
        tag: &Tag,
        digest: &Digest,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        self.pull_by_digest(repository, digest, events).await?;
        let engine = self.services.engine()?;
        let name = repository.tagged(tag);
        engine
            .tag(
                &repository.at(digest),
                &repository.to_string(),
                tag.as_str(),
            )
            .await?;
        self.effects.add(Effect::ImageKept { name });
        Ok(StepOutcome::Nothing)
    }
}
