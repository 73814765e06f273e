use aws_config::Region;

use crate::adapters::aws::account::Aws;
use crate::adapters::aws::action::Action;
use crate::adapters::aws::call::{Call, usual_host};
use crate::adapters::aws::error::AwsError;

/// ECS in one region; cheap to clone.
#[derive(Clone, Debug)]
pub struct Ecs {
    pub(super) aws: Aws,
    /// The same, by which a request is sent once and never again.
    pub(super) once: Aws,
    pub(super) region: String,
}

impl Aws {
    /// Returns ECS in a region.
    #[must_use]
    pub fn ecs(&self, region: &str) -> Ecs {
        Ecs {
            once: self.without_retries(),
            aws: self.clone(),
            region: region.to_owned(),
        }
    }

    /// Returns a client that is signed in.
    pub(super) async fn ecs_client(&self, region: &str) -> Result<aws_sdk_ecs::Client, AwsError> {
        self.0.provider.credentials().await?;
        let config = aws_sdk_ecs::config::Builder::from(&self.0.sdk);
        let region = Region::new(region.to_owned());
        Ok(aws_sdk_ecs::Client::from_conf(
            config.region(region).build(),
        ))
    }
}

impl Ecs {
    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Has the next call fetch new credentials, where AWS says that those at hand have expired.
    pub async fn renew_credentials(&self) {
        self.aws.0.provider.forget().await;
    }

    pub(super) fn call(&self, action: Action, purpose: String) -> Call<'_> {
        Call {
            action,
            purpose,
            host: usual_host("ecs", &self.region),
            repository: None,
            origin: self.aws.origin(),
        }
    }
}
