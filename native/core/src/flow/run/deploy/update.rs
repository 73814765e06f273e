//! Updates the service, by exactly one request: each one replaces the deployment of the one before.

use super::context::DeployRun;
use super::started::Started;
use super::unknown::Unknown;
use crate::adapters::aws::delivery::Delivery;
use crate::adapters::aws::ecs::error::EcsError;
use crate::adapters::aws::error::AwsError;
use crate::domain::ecs::deployment::change::DeploymentChange;
use crate::domain::ecs::deployment::service::Service;
use crate::domain::ecs::deployment::verdict::Watched;
use crate::flow::effect::Effect;
use crate::flow::plan::deployment::{DeploymentPlan, Need};
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl DeployRun {
    pub(super) async fn update(
        &self,
        plan: &DeploymentPlan<'_>,
        revision: &str,
        events: StepEvents,
    ) -> Result<Started, Problem> {
        let before = plan.service;
        let service = before.name.clone();
        let earlier: Vec<String> = before.deployments.iter().map(|d| d.id.clone()).collect();
        let begun = Effect::Deployment(DeploymentChange::Begun {
            service: service.clone(),
        });
        self.effects.begin(&begun);
        let force = self.session.config.force || plan.need != Need::Revision;
        let answer = match self.send_update(revision, force).await {
            Ok(answer) => Ok(answer),
            Err((error, false)) => {
                self.effects.withdraw(&begun);
                return Err(error.into());
            }
            Err((error, true)) => {
                events.note("The answer of ECS was lost; looking if it has begun the deployment");
                Err(error)
            }
        };
        let (id, others) = self.find_deployment(answer, revision, &earlier).await?;
        events.note(format!("deployment {id} of {revision}"));
        let started = DeploymentChange::Started {
            id: id.clone(),
            service,
        };
        self.effects.complete(&begun, Effect::Deployment(started));
        Ok(Started {
            watched: Watched {
                id,
                revision: revision.to_owned(),
                earlier: [earlier, others].concat(),
                previous: before
                    .primary()
                    .map(|primary| primary.task_definition.clone()),
                rolls_back: before.guards.rolls_back,
                limit: self.session.config.limit,
            },
            former_detail: before.detail.clone(),
            is_own: true,
        })
    }

    /// Sends the request, again only where ECS refused it for its number. An error says if it may have been carried out.
    async fn send_update(&self, revision: &str, force: bool) -> Result<Service, (EcsError, bool)> {
        let (ecs, pace) = (&self.ecs, self.session.pace);
        let mut nth = 0;
        loop {
            let delivery = Delivery::default();
            let updated = ecs.update_service(self.subject(), revision, force, &delivery);
            let updated = updated.await;
            let is_open = delivery.carried_out_at_most() > 0;
            match updated {
                Ok(service) => return Ok(service),
                Err(EcsError::Aws(AwsError::Throttled { .. })) if !is_open && nth < pace.looks => {
                    pace.wait(nth).await;
                    nth += 1;
                }
                Err(error) => return Err((error, is_open)),
            }
        }
    }

    /// Returns the ID of the deployment that the update began, and those beside it, from its answer or from the service
    /// itself. Another run may have begun one since the look, which this one replaces.
    async fn find_deployment(
        &self,
        answer: Result<Service, EcsError>,
        revision: &str,
        earlier: &[String],
    ) -> Result<(String, Vec<String>), Unknown> {
        let find = |service: &Service| {
            let id = &service.new_deployment(revision, earlier)?.id;
            // A primary one beside it came later.
            let others = service.deployments.iter();
            let others = others.filter(|each| each.id != *id && !each.is_primary);
            let others = others.map(|each| each.id.clone());
            Some((id.clone(), others.collect()))
        };
        let mut source = None;
        match answer {
            Ok(service) => {
                if let Some(found) = find(&service) {
                    return Ok(found);
                }
            }
            Err(error) => source = Some(error),
        }
        let pace = self.session.pace;
        for nth in 0..pace.looks {
            pace.wait(nth).await;
            match self.ecs.service(self.subject()).await {
                Ok(service) => {
                    if let Some(found) = find(&service) {
                        return Ok(found);
                    }
                }
                Err(error) => source = source.or(Some(error)),
            }
        }
        Err(Unknown::Deployment {
            service: self.subject().1.to_owned(),
            revision: revision.to_owned(),
            source,
        })
    }
}
