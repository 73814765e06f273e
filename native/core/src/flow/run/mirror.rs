//! The sensor on its way from CrowdStrike's registry into the mirror.

use super::drive::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::crowdstrike::error::FalconError;
use crate::flow::effect::Effect;
use crate::flow::facts::sensor::SensorCopy;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn copy_sensor(
        &self,
        copy: &SensorCopy,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let begun = Effect::CopyInterrupted {
            repository: copy.to.clone(),
            tag: copy.tag.clone(),
        };
        self.state(|state| state.effects.push(begun.clone()));
        let registry = self.services.registry().await?;
        let progress = |current, total| events.progress(current, Some(total));
        let copied = registry
            .copy(&copy.from, &copy.digest, &copy.to, &copy.tag, &progress)
            .await;
        copied.map_err(|error| FalconError::of_registry(&copy.from.registry, error.into()))?;
        self.state(|state| {
            state.effects.retain(|effect| *effect != begun);
            state.effects.push(Effect::SensorCopied {
                repository: copy.to.clone(),
                tag: copy.tag.clone(),
                digest: copy.digest.clone(),
            });
        });
        Ok(StepOutcome::SensorCopied)
    }

    /// Warns of a customer ID that is not the API client's: nothing notices a wrong one before the
    /// sensor fails to register.
    pub(super) fn compare_customer_ids(&self, events: &StepEvents) {
        let given = self.config.falcon.customer_id.as_ref();
        let known = self.services.tenant().known_customer_id();
        let (Some(given), Some(known)) = (given, known) else {
            return;
        };
        if !given.reveal().eq_ignore_ascii_case(known.reveal()) {
            events.warning(
                Code::FalconCustomerIdDiffers,
                "`falconCid` is not the customer ID of the API client's tenant",
                Some("Leave `falconCid` empty to have it looked up, unless the containers belong to another tenant".to_owned()),
            );
        }
    }
}
