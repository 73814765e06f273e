//! Registers the revision, by one request that counts.

use super::context::DeployRun;
use super::unknown::Unknown;
use crate::adapters::aws::delivery::Delivery;
use crate::adapters::aws::error::AwsError;
use crate::domain::aws::revision::Revision;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::flow::effect::Effect;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl DeployRun {
    pub(super) async fn register(
        &self,
        definition: &TaskDefinition,
        image: &str,
        events: StepEvents,
    ) -> Result<Revision, Problem> {
        let begun = Effect::RegistrationBegun {
            family: definition.family.clone(),
        };
        self.effects.begin(&begun);
        let revision = match self.send_registration(definition, image).await {
            Ok(revision) => {
                let arn = revision.arn.clone();
                self.effects
                    .complete(&begun, Effect::TaskDefinitionRegistered { arn });
                revision
            }
            // ECS has refused it, so nothing can have been registered.
            Err((error, false)) => {
                self.effects.withdraw(&begun);
                return Err(error.into());
            }
            Err((error, true)) => {
                events.note("The answer of ECS was lost; looking if it has the revision");
                let found = self.find_revision(definition, image).await;
                let family = definition.family.clone();
                // An earlier run may have registered the same, so the effect stays a possible one.
                found.ok_or(Unknown::Registration {
                    family,
                    source: error,
                })?
            }
        };
        events.note(format!("revision {}", revision.arn));
        Ok(revision)
    }

    /// Sends the request, again only where ECS refused it for its number. An error says if it may have been carried out.
    async fn send_registration(
        &self,
        definition: &TaskDefinition,
        image: &str,
    ) -> Result<Revision, (AwsError, bool)> {
        let (family, pace) = (&definition.family, self.session.pace);
        let mut nth = 0;
        loop {
            let delivery = Delivery::default();
            let text = definition.with_image(image);
            let registered = self.ecs.register_once(family, text, &delivery).await;
            let is_open = delivery.carried_out_at_most() > 0;
            match registered {
                Ok(revision) => return Ok(revision),
                Err(AwsError::Throttled { .. }) if !is_open && nth < pace.looks => {
                    pace.wait(nth).await;
                    nth += 1;
                }
                Err(error) => return Err((error, is_open)),
            }
        }
    }

    /// Returns the newest revision of the family, if it is the definition: the answer to its registration was lost.
    async fn find_revision(&self, definition: &TaskDefinition, image: &str) -> Option<Revision> {
        let pace = self.session.pace;
        for nth in 0..pace.looks {
            pace.wait(nth).await;
            // A look that fails settles nothing, and the failure that led here is reported.
            if let Ok(found) = self.ecs.task_definition(&definition.family).await
                && definition.is_registered_as(&found.answer, image)
            {
                return Some(found.revision);
            }
        }
        None
    }
}
