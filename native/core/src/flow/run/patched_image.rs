//! The patched image: compared, read back, tagged.

use std::sync::Arc;

use super::context::Run;
use super::log::warn_of_additions;
use super::step_outcome::StepOutcome;
use crate::domain::image::proof::{Evidence, prove, prove_image};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::plan::ready::Ready;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn prove(
        &self,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let source = ready.source;
        let image = self.patched_image().await?;
        let evidence = Evidence {
            platform: &image.platform,
            diff_ids: &image.diff_ids,
            config: &image.config,
        };
        let more = prove(source.evidence(), evidence, &ready.options)?;
        warn_of_additions(&more, events);
        let added = image.diff_ids.len() - source.diff_ids.len();
        events.note(format!("linux/arm64, {} layers of the source and {added} of the sensor, Falcon's entrypoint in front, and what the source's configuration says is kept", source.diff_ids.len()));
        Ok(StepOutcome::Nothing)
    }

    pub(super) async fn read_back(
        &self,
        pushed: &Digest,
        ready: &Ready<'_>,
    ) -> Result<StepOutcome, Problem> {
        let registry = self.services.registry().await?;
        let image = registry.image(&ready.target.repository, pushed).await?;
        // A warning of undocumented additions was logged before the push.
        prove_image(ready.source.evidence(), &image, &ready.options)?;
        Ok(StepOutcome::ReadBack(Arc::new(image)))
    }

    pub(super) async fn add_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
        image: &RegistryImage,
    ) -> Result<StepOutcome, Problem> {
        self.put_tag(repository, tag, &image.manifest).await?;
        Ok(StepOutcome::Nothing)
    }
}
