//! From the SDK's errors of ECS to ours.

use std::error::Error;

use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_ecs::operation::RequestId;

use super::client::Ecs;
use super::error::EcsError;
use crate::adapters::aws::call::Call;
use crate::report::cause::Cause;

/// The cluster and the service that a call is about.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) cluster: &'a str,
    pub(super) service: &'a str,
}

impl Ecs {
    /// Error that a failure of a call means.
    pub(super) fn failed<E, R>(
        &self,
        call: &Call<'_>,
        subject: Subject<'_>,
        error: SdkError<E, R>,
    ) -> EcsError
    where
        E: ProvideErrorMetadata + Error + 'static,
        R: std::fmt::Debug + 'static,
        SdkError<E, R>: RequestId,
    {
        let code = error.code().unwrap_or_default();
        let said = || Cause::said(&format!("{code}: {}", error.message().unwrap_or_default()));
        let (purpose, region) = (call.purpose.clone(), self.region.clone());
        let service = subject.service.to_owned();
        match code.strip_suffix("Exception").unwrap_or(code) {
            "ClusterNotFound" => EcsError::ClusterNotFound {
                cluster: subject.cluster.to_owned(),
                region,
            },
            "ServiceNotFound" => EcsError::ServiceNotFound {
                cluster: subject.cluster.to_owned(),
                service,
                region,
            },
            "ServiceNotActive" => EcsError::ServiceNotActive {
                service,
                source: said(),
            },
            "UnsupportedFeature" => EcsError::Unsupported { purpose, region },
            _ => call.failed(error).into(),
        }
    }
}
