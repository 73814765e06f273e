//! Failures of calls to ECS.

use crate::adapters::aws::error::AwsError;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Reason that ECS did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EcsError {
    /// The cluster does not exist.
    #[error("The ECS cluster `{cluster}` does not exist in {region}")]
    ClusterNotFound {
        /// The cluster.
        cluster: String,
        /// The region.
        region: String,
    },
    /// The cluster has no service of this name.
    #[error("The ECS cluster `{cluster}` has no service `{service}`")]
    ServiceNotFound {
        /// The cluster.
        cluster: String,
        /// The service.
        service: String,
        /// The region.
        region: String,
    },
    /// The service is deleted, or about to be.
    #[error("The service `{service}` is not active")]
    ServiceNotActive {
        /// The service.
        service: String,
        /// Message of AWS.
        source: Cause,
    },
    /// The region does not have this call.
    #[error("Cannot {purpose}: not supported in {region}")]
    Unsupported {
        /// Purpose of the call.
        purpose: String,
        /// The region.
        region: String,
    },
    /// Any other failure.
    #[error(transparent)]
    Aws(#[from] AwsError),
}

impl EcsError {
    /// Returns true if the credentials have expired at AWS.
    #[must_use]
    pub fn is_expiry(&self) -> bool {
        matches!(self, Self::Aws(AwsError::CredentialsExpired { .. }))
    }

    /// Returns true if no credentials could be had, which the service that issues them may do a moment later.
    #[must_use]
    pub fn is_sign_in(&self) -> bool {
        matches!(
            self,
            Self::Aws(AwsError::OidcFailed { .. } | AwsError::CredentialsMissing { .. })
        )
    }

    /// Returns true for a failure that another try may not have.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(
            self,
            Self::Aws(
                AwsError::NotReachable { .. }
                    | AwsError::Throttled { .. }
                    | AwsError::RequestFailed { .. }
            )
        )
    }
}

impl Explain for EcsError {
    fn code(&self) -> Code {
        match self {
            Self::ClusterNotFound { .. } => Code::EcsClusterNotFound,
            Self::ServiceNotFound { .. } => Code::EcsServiceNotFound,
            Self::ServiceNotActive { .. } => Code::EcsServiceUnsuitable,
            Self::Unsupported { .. } => Code::AwsRequestFailed,
            Self::Aws(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::ClusterNotFound { region, .. } => format!(
                "Check `ecsCluster`, the region {region} (`awsRegion`), and the account of the credentials; the clusters that are there: `aws ecs list-clusters --region {region}`"
            ),
            Self::ServiceNotFound {
                cluster, region, ..
            } => format!(
                "Check `ecsService` and `ecsCluster`, since only an existing service can be deployed to; those that are there: `aws ecs list-services --region {region} --cluster {cluster}`"
            ),
            Self::ServiceNotActive { .. } => {
                "Set `ecsService` to a service that is ACTIVE".to_owned()
            }
            Self::Unsupported { .. } => "Use another region".to_owned(),
            Self::Aws(error) => return error.hint(),
        })
    }
}
