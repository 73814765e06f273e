//! Describes the record of a service's deployment.

use super::client::Ecs;
use super::error::EcsError;
use super::read::detail;
use super::refusal::Subject;
use crate::adapters::aws::action::Action;
use crate::domain::ecs::deployment::detail::Detail;

impl Ecs {
    /// Describes the record of a deployment; none if ECS does not have it.
    pub async fn service_deployment(
        &self,
        (cluster, service): (&str, &str),
        arn: &str,
    ) -> Result<Option<Detail>, EcsError> {
        let purpose = format!("describe the deployment of the ECS service `{service}`");
        let call = self.call(Action::DescribeServiceDeployments, purpose);
        let client = self.aws.ecs_client(&self.region).await?;
        let request = client
            .describe_service_deployments()
            .service_deployment_arns(arn);
        let answer = request.send().await;
        let subject = Subject { cluster, service };
        let answer = answer.map_err(|error| self.failed(&call, subject, error))?;
        let found = answer.service_deployments.unwrap_or_default();
        Ok(found.into_iter().next().and_then(detail))
    }
}
