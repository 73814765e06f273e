//! Lists and describes the tasks of a service.

use aws_sdk_ecs::types::DesiredStatus;

use super::client::Ecs;
use super::error::EcsError;
use super::read::task;
use super::refusal::Subject;
use crate::adapters::aws::action::Action;
use crate::domain::ecs::deployment::task::Task;

/// Tasks of one call; ECS describes no more at once.
const AT_ONCE: i32 = 100;

/// Calls for the tasks that run, so that a service of any size ends.
const PAGES: usize = 10;

impl Ecs {
    /// Describes the tasks of a service that have stopped within about the last hour, 100 at most.
    pub async fn stopped_tasks(&self, of: (&str, &str)) -> Result<Vec<Task>, EcsError> {
        Ok(self.tasks(of, DesiredStatus::Stopped, None).await?.0)
    }

    /// Describes the tasks of a service that run, 1000 at most.
    pub async fn running_tasks(&self, of: (&str, &str)) -> Result<Vec<Task>, EcsError> {
        let (mut tasks, mut page) = (Vec::new(), None);
        for _ in 0..PAGES {
            let (found, next) = self.tasks(of, DesiredStatus::Running, page).await?;
            tasks.extend(found);
            page = next;
            if page.is_none() {
                break;
            }
        }
        Ok(tasks)
    }

    async fn tasks(
        &self,
        (cluster, service): (&str, &str),
        status: DesiredStatus,
        page: Option<String>,
    ) -> Result<(Vec<Task>, Option<String>), EcsError> {
        let subject = Subject { cluster, service };
        let purpose = format!("list the tasks of the ECS service `{service}`");
        let call = self.call(Action::ListTasks, purpose);
        let client = self.aws.ecs_client(&self.region).await?;
        let request = client.list_tasks().cluster(cluster).service_name(service);
        let request = request.desired_status(status).max_results(AT_ONCE);
        let request = request.set_next_token(page);
        let listed = request.send().await;
        let listed = listed.map_err(|error| self.failed(&call, subject, error))?;
        let (arns, next) = (listed.task_arns.unwrap_or_default(), listed.next_token);
        if arns.is_empty() {
            return Ok((Vec::new(), next));
        }
        let purpose = format!("describe the tasks of the ECS service `{service}`");
        let call = self.call(Action::DescribeTasks, purpose);
        let request = client.describe_tasks().cluster(cluster);
        let described = request.set_tasks(Some(arns)).send().await;
        let described = described.map_err(|error| self.failed(&call, subject, error))?;
        let tasks = described.tasks.unwrap_or_default();
        Ok((tasks.into_iter().map(task).collect(), next))
    }
}
