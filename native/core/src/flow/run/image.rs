//! The patched image: compared, read back, tagged.

use std::sync::Arc;

use super::drive::Run;
use super::step_outcome::StepOutcome;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::proof::{Evidence, prove, prove_image};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::effect::Effect;
use crate::flow::facts::patch::Facts;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn prove(
        &self,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        let image = self.patched_image().await?;
        let evidence = Evidence {
            platform: &image.platform,
            diff_ids: &image.diff_ids,
            config: &image.config,
        };
        let more = self.prove_evidence(facts, evidence)?;
        Self::tell_more(&more, events);
        let added = image.diff_ids.len() - source.diff_ids.len();
        events.note(format!("linux/arm64, {} layers of the source and {added} of the sensor, Falcon's entrypoint in front, and what the source's configuration says is kept", source.diff_ids.len()));
        Ok(StepOutcome::Nothing)
    }

    /// What falconutil is told, now that the customer is known.
    pub(super) fn falcon_options(&self, facts: &Facts) -> Result<FalconOptions, Problem> {
        facts.falcon_options(&self.config)
    }

    /// Warns of what falconutil added beyond what is documented.
    pub(super) fn tell_more(more: &[String], events: &StepEvents) {
        if more.is_empty() {
            return;
        }
        let message = format!(
            "falconutil added more to the image than is documented: {}",
            more.join(", ")
        );
        events.warning(Code::FalconutilChangedMore, message, None);
    }

    pub(super) fn prove_evidence(
        &self,
        facts: &Facts,
        patched: Evidence<'_>,
    ) -> Result<Vec<String>, Problem> {
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        Ok(prove(
            source.evidence(),
            patched,
            &self.falcon_options(facts)?,
        )?)
    }

    pub(super) async fn read_back(&self, facts: &Facts) -> Result<StepOutcome, Problem> {
        let target = facts.target.as_ref().map_err(Clone::clone)?;
        let Some(digest) = self.state(|state| state.pushed.clone()) else {
            unreachable!("the plan reads back only after a push")
        };
        let registry = self.services.registry().await?;
        let image = registry.image(&target.repository, &digest).await?;
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        // What is more than documented was told before the push.
        prove_image(source.evidence(), &image, &self.falcon_options(facts)?)?;
        self.state(|state| state.image = Some(Arc::new(image)));
        Ok(StepOutcome::Nothing)
    }

    /// The patched image as the registry has it.
    pub(super) fn image_in_registry(&self) -> Arc<RegistryImage> {
        let image = self.state(|state| state.image.clone());
        image.unwrap_or_else(|| {
            unreachable!("the plan goes on with the image only where it is there")
        })
    }

    pub(super) async fn add_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<StepOutcome, Problem> {
        let image = self.image_in_registry();
        self.services
            .registry()
            .await?
            .put_manifest(repository, tag, &image.manifest)
            .await?;
        let digest = image.digest.clone();
        let untagged = Effect::ManifestPushed {
            repository: repository.clone(),
            digest: digest.clone(),
        };
        self.state(|state| {
            state.effects.retain(|effect| *effect != untagged);
            state.effects.push(Effect::TagPushed {
                repository: repository.clone(),
                tag: tag.clone(),
                digest,
            });
        });
        Ok(StepOutcome::Nothing)
    }
}
