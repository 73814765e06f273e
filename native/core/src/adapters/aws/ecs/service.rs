//! Describes and updates a service.

use super::client::Ecs;
use super::error::EcsError;
use super::read::service;
use super::refusal::Subject;
use crate::adapters::aws::action::Action;
use crate::adapters::aws::delivery::Delivery;
use crate::domain::ecs::deployment::service::Service;

impl Ecs {
    /// Describes a service, also one that is deleted.
    pub async fn service(&self, (cluster, name): (&str, &str)) -> Result<Service, EcsError> {
        let purpose = format!("describe the ECS service `{name}`");
        let call = self.call(Action::DescribeServices, purpose);
        let subject = Subject {
            cluster,
            service: name,
        };
        let client = self.aws.ecs_client(&self.region).await?;
        let request = client.describe_services().cluster(cluster).services(name);
        let answer = request.send().await;
        let answer = answer.map_err(|error| self.failed(&call, subject, error))?;
        match answer.services.unwrap_or_default().into_iter().next() {
            Some(found) => Ok(service(found)),
            // ECS answers with a failure inside a success, whose one reason is MISSING.
            None if answer.failures.is_some_and(|all| !all.is_empty()) => {
                Err(EcsError::ServiceNotFound {
                    cluster: cluster.to_owned(),
                    service: name.to_owned(),
                    region: self.region.clone(),
                })
            }
            None => Err(call.incomplete("service").into()),
        }
    }

    /// Updates a service to a revision, by one request that is never sent again: each that ECS carries out is a
    /// deployment, which replaces the one before. `delivery` shows if a failure leaves it open.
    pub async fn update_service(
        &self,
        (cluster, name): (&str, &str),
        revision: &str,
        force: bool,
        delivery: &Delivery,
    ) -> Result<Service, EcsError> {
        let purpose = format!("update the ECS service `{name}`");
        let call = self.call(Action::UpdateService, purpose);
        let subject = Subject {
            cluster,
            service: name,
        };
        let client = self.once.ecs_client(&self.region).await?;
        let request = client.update_service().cluster(cluster).service(name);
        let request = request
            .task_definition(revision)
            .set_force_new_deployment(force.then_some(true));
        let answer = request.customize().interceptor(delivery.clone());
        let answer = answer.send().await;
        let answer = answer.map_err(|error| self.failed(&call, subject, error))?;
        let updated = answer.service.ok_or_else(|| call.incomplete("service"))?;
        Ok(service(updated))
    }
}
