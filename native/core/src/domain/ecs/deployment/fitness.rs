//! The check that a service can be deployed to.

use super::service::Service;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// A reason why a service cannot be deployed to.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unfit {
    /// It is deleted, or about to be.
    #[error("The service `{service}` is {status}, and only an ACTIVE one can be deployed to")]
    NotActive {
        /// The service.
        service: String,
        /// Its status.
        status: String,
    },
    /// Another service than ECS carries its deployments out.
    #[error("The deployments of the service `{service}` are controlled by {controller}")]
    Controller {
        /// The service.
        service: String,
        /// The type of the controller.
        controller: String,
    },
    /// It runs on something else.
    #[error("The service `{service}` does not run on Fargate but on {place}")]
    NotFargate {
        /// The service.
        service: String,
        /// Its launch type, or its capacity providers.
        place: String,
    },
}

impl Explain for Unfit {
    fn code(&self) -> Code {
        Code::EcsServiceUnsuitable
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotActive { .. } => "Set `ecsService` to a service that is ACTIVE".to_owned(),
            Self::Controller { controller, .. } if controller == "CODE_DEPLOY" => "Use `registerTaskDefinition` when patching, and start the deployment with CodeDeploy in a step of its own".to_owned(),
            Self::Controller { .. } => "Use `registerTaskDefinition` when patching, and deploy the revision by the tool that manages the service's task sets".to_owned(),
            Self::NotFargate { .. } => "Set `ecsService` to a service on Fargate: the patched image is for Fargate on ARM64".to_owned(),
        })
    }
}

impl Service {
    /// Checks that ECS can deploy a revision for Fargate to this service.
    ///
    /// # Errors
    /// The first reason why it cannot.
    pub fn check(&self) -> Result<(), Unfit> {
        let service = self.name.clone();
        if self.status != "ACTIVE" {
            let status = self.status.clone();
            return Err(Unfit::NotActive { service, status });
        }
        if let Some(controller) = self.controller.clone().filter(|known| known != "ECS") {
            return Err(Unfit::Controller {
                service,
                controller,
            });
        }
        match self.other_place() {
            Some(place) => Err(Unfit::NotFargate { service, place }),
            None => Ok(()),
        }
    }

    /// Returns the place where its tasks run, if that is not Fargate. A service with capacity providers has no launch
    /// type.
    fn other_place(&self) -> Option<String> {
        if let Some(launch_type) = &self.launch_type {
            return (launch_type != "FARGATE").then(|| launch_type.clone());
        }
        let is_fargate = |name: &String| name == "FARGATE" || name == "FARGATE_SPOT";
        let others: Vec<&str> = self
            .capacity_providers
            .iter()
            .filter(|name| !is_fargate(name))
            .map(String::as_str)
            .collect();
        (!others.is_empty()).then(|| format!("the capacity provider {}", others.join(", ")))
    }
}
