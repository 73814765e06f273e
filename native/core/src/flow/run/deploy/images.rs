//! Compares the image that the running tasks report with the verified one.

use super::context::DeployRun;
use super::started::Started;
use crate::adapters::aws::ecs::error::EcsError;
use crate::domain::ecs::deployment::task::{RunningImages, Task, compare_images};
use crate::domain::reference::digest::Digest;
use crate::flow::plan::deployment::DeploymentPlan;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

/// A task that runs another image than the verified one.
#[derive(Debug, thiserror::Error)]
#[error("The task {task} of the service `{service}` runs {digest}, and {verified} was verified")]
struct Differs {
    service: String,
    task: String,
    digest: String,
    verified: Digest,
}

impl Explain for Differs {
    fn code(&self) -> Code {
        Code::EcsImageDiffers
    }

    fn hint(&self) -> Option<String> {
        Some("Look at the task in ECS: the registry, or a cache in front of it, gave it another image than this run has verified".to_owned())
    }
}

impl DeployRun {
    /// Lists the running tasks, again where another try may have what this one had not.
    async fn list_running(&self) -> Result<Vec<Task>, EcsError> {
        let pace = self.session.pace;
        let mut nth = 0;
        loop {
            match self.ecs.running_tasks(self.subject()).await {
                Err(error) if error.may_pass() && nth < pace.looks => {
                    pace.wait(nth).await;
                    nth += 1;
                }
                listed => return listed,
            }
        }
    }

    /// Compares what the tasks report. Without the right to describe them nothing is compared.
    pub(super) async fn compare_images(
        &self,
        started: &Started,
        plan: &DeploymentPlan<'_>,
        verified: &Digest,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let tasks = match self.list_running().await {
            Ok(tasks) => tasks,
            Err(error) => {
                events.note(format!("{error}, so the running image was not compared"));
                return Ok(());
            }
        };
        let watched = &started.watched;
        let of = (watched.id.as_str(), watched.revision.as_str());
        match compare_images(&tasks, of, &plan.definition.container, verified) {
            RunningImages::Same(count) => {
                events.note(format!(
                    "{count} running tasks report {verified}, as verified"
                ));
                Ok(())
            }
            RunningImages::Unknown => {
                events.note(
                    "No running task reports the digest of its image, so it was not compared",
                );
                Ok(())
            }
            RunningImages::Different { task, digest } => Err(Differs {
                service: plan.service.name.clone(),
                task,
                digest,
                verified: verified.clone(),
            }
            .into()),
        }
    }
}
