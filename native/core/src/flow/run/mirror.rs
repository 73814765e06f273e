//! The sensor on its way from CrowdStrike's registry into the mirror.

use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::crowdstrike::error::FalconError;
use crate::flow::effect::Effect;
use crate::flow::facts::sensor::SensorCopy;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn copy_sensor(
        &self,
        copy: &SensorCopy,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let begun = Effect::CopyBegun {
            repository: copy.to.clone(),
            tag: copy.tag.clone(),
        };
        self.effects.begin(&begun);
        let registry = self.services.registry().await?;
        let progress = |current, total| events.progress(current, Some(total));
        let copied = registry
            .copy(&copy.from, &copy.digest, &copy.to, &copy.tag, &progress)
            .await;
        copied.map_err(|error| FalconError::of_registry(&copy.from.registry, error.into()))?;
        let copied = Effect::SensorCopied {
            repository: copy.to.clone(),
            tag: copy.tag.clone(),
            digest: copy.digest.clone(),
        };
        self.effects.complete(&begun, copied);
        Ok(StepOutcome::SensorCopied)
    }
}
