//! Changes of which ECS does not show if they were carried out.

use crate::adapters::aws::ecs::error::EcsError;
use crate::adapters::aws::error::AwsError;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// A change whose answer was lost, and that no look settles.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unknown {
    #[error("ECS does not show if it registered a revision of the task definition `{family}`")]
    Registration { family: String, source: AwsError },
    #[error("ECS does not show if it deploys `{revision}` to the service `{service}`")]
    Deployment {
        service: String,
        revision: String,
        source: Option<EcsError>,
    },
}

impl Explain for Unknown {
    fn code(&self) -> Code {
        Code::EcsDeploymentUnknown
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Registration { .. } => "Run the step again; at worst there is one revision more",
            Self::Deployment { .. } => "Look at the service's deployments in ECS, then run the step again: it deploys only what is missing",
        }.to_owned())
    }
}
