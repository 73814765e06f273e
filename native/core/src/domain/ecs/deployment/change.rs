//! The change that an update of a service makes, as far as it is known.

use std::fmt;

/// A deployment that a run has begun, or may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DeploymentChange {
    /// The service was being updated; a deployment may have begun.
    Begun {
        /// The service.
        service: String,
    },
    /// A deployment began, and goes on.
    Started {
        /// The ID of the deployment.
        id: String,
        /// The service.
        service: String,
    },
    /// A deployment began, and is over.
    Ended {
        /// The ID of the deployment.
        id: String,
        /// The service.
        service: String,
        /// The way in which it ended.
        end: DeploymentEnd,
    },
}

/// The way in which a deployment ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeploymentEnd {
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// It failed, and is not over.
    Failing,
    /// It failed and was rolled back.
    RolledBack,
    /// It failed, and so did its rollback.
    RollbackFailed,
    /// Another one replaced it.
    Replaced,
}

impl fmt::Display for DeploymentChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begun { service } => write!(
                f,
                "may have started a deployment of the ECS service `{service}`, which would go on"
            ),
            Self::Started { id, service } => write!(
                f,
                "started the deployment `{id}` of the ECS service `{service}`, which goes on"
            ),
            Self::Ended { id, service, end } => write!(
                f,
                "started the deployment `{id}` of the ECS service `{service}`, which {end}"
            ),
        }
    }
}

impl fmt::Display for DeploymentEnd {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Failing => "has failed, and may still be rolled back",
            Self::RolledBack => "failed and was rolled back",
            Self::RollbackFailed => "failed, and so did its rollback",
            Self::Replaced => "was replaced by another",
        })
    }
}
