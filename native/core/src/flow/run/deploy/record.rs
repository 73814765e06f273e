//! The record that ECS keeps of the deployment, as far as it can be read.

use super::started::Started;
use crate::adapters::aws::ecs::client::Ecs;
use crate::domain::ecs::deployment::detail::Detail;
use crate::domain::ecs::deployment::service::Service;

/// The record of the watched deployment.
#[derive(Default)]
pub(super) struct Record {
    arn: Option<String>,
    last: Option<Detail>,
    is_off: bool,
}

impl Record {
    /// The record as it was last read.
    pub(super) fn last(&self) -> Option<&Detail> {
        self.last.as_ref()
    }

    /// Reads the record. Without the right to it, or in a region without it, details are missing: the reason is returned
    /// once.
    pub(super) async fn read(
        &mut self,
        ecs: &Ecs,
        of: (&str, &str),
        started: &Started,
        service: &Service,
    ) -> Option<String> {
        let is_own = service
            .primary()
            .is_some_and(|primary| primary.id == started.watched.id);
        // The service may still name the record of the deployment before.
        if self.arn.is_none() && is_own && service.detail != started.former_detail {
            self.arn.clone_from(&service.detail);
        }
        let arn = self.arn.as_deref().filter(|_| !self.is_off)?;
        let own = service.deployment(&started.watched.id);
        match ecs.service_deployment(of, arn).await {
            // Another deployment can have begun between the look and the update.
            Ok(Some(detail)) if own.is_some_and(|own| !detail.can_be_of(own)) => {
                self.arn = None;
                self.last = None;
                return Some("ECS still names the record of a deployment before".to_owned());
            }
            Ok(Some(detail)) => self.last = Some(detail),
            // The last one stays: it does not say that the deployment is over.
            Ok(None) => {}
            Err(error) if error.may_pass() || error.is_expiry() => {}
            Err(error) => {
                self.is_off = true;
                self.last = None;
                return Some(error.to_string());
            }
        }
        None
    }
}
