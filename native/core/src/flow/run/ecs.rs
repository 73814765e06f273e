//! The ECS task definition with the patched image in it: written, and registered.

use super::context::Run;
use super::results::produced;
use super::step_outcome::StepOutcome;
use super::written_task_definition::WrittenTaskDefinition;
use crate::adapters::aws::delivery::Delivery;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::plan::ready::Ready;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    pub(super) async fn write_task_definition(
        &self,
        image: &RegistryImage,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let definition = produced(ready.task_definition, "an ECS task definition")?;
        let image = ready.target.repository.at(&image.digest);
        let text = definition.with_image(&image);
        let wanted = self.config.task_definition.as_ref();
        let output = wanted.and_then(|file| file.output.as_deref());
        let file = self.definition_file();
        let path = file.write(definition, output, &text).await?;
        events.note(format!("container `{}` runs {image}", definition.container));
        Ok(StepOutcome::TaskDefinition(WrittenTaskDefinition {
            family: definition.family.clone(),
            path,
            text,
            revision: None,
        }))
    }

    pub(super) async fn register_task_definition(
        &self,
        written: &WrittenTaskDefinition,
        target: &Repository,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let WrittenTaskDefinition { family, text, .. } = written;
        let aws = self.services.aws().await?;
        let region = aws.region().map(str::to_owned);
        // The inputs take only ECR as the target, and each of its registries is in a region.
        let region = region.or_else(|| target.ecr().map(|host| host.region));
        let region = produced(region, "the region of the target")?;
        let begun = Effect::RegistrationBegun {
            family: family.clone(),
        };
        self.effects.begin(&begun);
        let delivery = Delivery::default();
        let registered = aws.register_task_definition(&region, family, text.clone(), &delivery);
        let registered = registered.await;
        // A try whose answer was lost may have made a revision of its own, beside that of the last one.
        if delivery.carried_out_at_most() == u32::from(registered.is_ok()) {
            self.effects.withdraw(&begun);
        }
        let revision = registered?;
        events.note(format!("revision {} in {region}", revision.number));
        self.effects.add(Effect::TaskDefinitionRegistered {
            arn: revision.arn.clone(),
        });
        Ok(StepOutcome::TaskDefinition(WrittenTaskDefinition {
            revision: Some(revision),
            ..written.clone()
        }))
    }
}

#[cfg(test)]
mod tests;
