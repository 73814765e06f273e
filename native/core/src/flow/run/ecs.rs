//! The ECS task definition with the patched image in it: written, and registered.

use std::path::PathBuf;

use super::drive::Run;
use super::finished_task_definition::Finished;
use super::step_outcome::StepOutcome;
use crate::adapters::journal::JournalItem;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::flow::effect::Effect;
use crate::flow::facts::patch::Facts;
use crate::flow::look::ecs::FileError;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Tells what is used as it is although the sensor may not work with it.
    pub(super) fn warn_of_task_definition(facts: &Facts, events: &StepEvents) {
        if let Some(Ok(definition)) = &facts.task_definition {
            for warning in &definition.warnings {
                events.warning(Code::EcsSensorAtRisk, warning, None);
            }
        }
    }

    pub(super) async fn write_task_definition(
        &self,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let definition = read_before(facts)?;
        let target = facts.target.as_ref().map_err(Clone::clone)?;
        let image = target.repository.at(&self.image_in_registry().digest);
        let text = definition.with_image(&image);
        let path = self.task_definition_path(definition).await?;
        let written = tokio::fs::write(&path, &text).await;
        written.map_err(|source| not_writable(&path, source))?;
        events.note(format!("container `{}` runs {image}", definition.container));
        self.state(|state| {
            state
                .effects
                .push(Effect::TaskDefinitionWritten { path: path.clone() });
            state.task_definition = Some(Finished {
                path,
                text,
                revision: None,
            });
        });
        Ok(StepOutcome::Nothing)
    }

    pub(super) async fn register_task_definition(
        &self,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let definition = read_before(facts)?;
        let target = facts.target.as_ref().map_err(Clone::clone)?;
        let Some(Finished { text, .. }) = self.state(|state| state.task_definition.clone()) else {
            unreachable!("the plan registers only what was written")
        };
        let aws = self.services.aws().await?;
        let region = aws.region().map(str::to_owned);
        let region = region.or_else(|| target.repository.ecr().map(|host| host.region));
        let Some(region) = region else {
            unreachable!("the target is in a registry of ECR, and each of these is in a region")
        };
        let registered = aws.register_task_definition(&region, &definition.family, text);
        let revision = registered.await?;
        events.note(format!("revision {} in {region}", revision.number));
        self.state(|state| {
            state.effects.push(Effect::TaskDefinitionRegistered {
                arn: revision.arn.clone(),
            });
            if let Some(finished) = &mut state.task_definition {
                finished.revision = Some(revision);
            }
        });
        Ok(StepOutcome::Nothing)
    }

    /// Where the finished definition goes: where the input says, or into a folder that stays until the job's end.
    async fn task_definition_path(&self, definition: &TaskDefinition) -> Result<PathBuf, Problem> {
        let wanted = self.config.task_definition.as_ref();
        if let Some(path) = wanted.and_then(|file| file.output.clone()) {
            return Ok(path);
        }
        let temp = &self.services.agent().temp_folder;
        let folder = temp.join(format!("falcon-ecs-{}", self.id));
        self.record(JournalItem::Folder {
            path: folder.clone(),
        })?;
        let path = folder.join(format!("{}.json", definition.family));
        let made = tokio::fs::create_dir(&folder).await;
        made.map_err(|source| not_writable(&path, source))?;
        Ok(path)
    }
}

fn not_writable(path: &std::path::Path, source: std::io::Error) -> Problem {
    FileError::NotWritable {
        path: path.to_owned(),
        source,
    }
    .into()
}

fn read_before(facts: &Facts) -> Result<&TaskDefinition, Problem> {
    match &facts.task_definition {
        Some(read) => read.as_ref().map_err(Clone::clone),
        None => unreachable!("the plan has these steps only where a definition was given"),
    }
}
