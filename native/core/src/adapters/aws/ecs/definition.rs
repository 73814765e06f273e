//! Describes and registers task definitions, byte for byte.

use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecs::config::interceptors::AfterDeserializationInterceptorContextRef;
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_sdk_ecs::types::{TaskDefinitionField, TaskDefinitionStatus};
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

use super::client::Ecs;
use crate::adapters::aws::action::Action;
use crate::adapters::aws::delivery::Delivery;
use crate::adapters::aws::error::AwsError;
use crate::domain::aws::registered_definition::RegisteredDefinition;
use crate::domain::aws::revision::Revision;

/// The body of an answer, as it came.
#[derive(Clone, Debug, Default)]
struct Body(Arc<Mutex<Option<Vec<u8>>>>);

#[dyn_dispatch_hint]
impl Intercept for Body {
    fn name(&self) -> &'static str {
        "Body"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let bytes = context.response().body().bytes().map(<[u8]>::to_vec);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes;
        Ok(())
    }
}

impl Ecs {
    /// Describes a revision with its tags, or the newest active one of a family.
    ///
    /// The SDK's types drop fields that they do not know yet, so the answer's body is kept beside them.
    pub async fn task_definition(&self, name: &str) -> Result<RegisteredDefinition, AwsError> {
        let purpose = format!("describe the ECS task definition `{name}`");
        let call = self.call(Action::DescribeTaskDefinition, purpose);
        let body = Body::default();
        let client = self.aws.ecs_client(&self.region).await?;
        let request = client.describe_task_definition().task_definition(name);
        let request = request.include(TaskDefinitionField::Tags).customize();
        let answer = request.interceptor(body.clone()).send().await;
        let answer = answer.map_err(|error| call.failed(error))?;
        let definition = answer.task_definition;
        let definition = definition.ok_or_else(|| call.incomplete("task definition"))?;
        let arn = definition.task_definition_arn;
        let bytes = body.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        Ok(RegisteredDefinition {
            revision: Revision {
                arn: arn.ok_or_else(|| call.incomplete("ARN"))?,
                number: definition.revision,
            },
            is_active: definition.status == Some(TaskDefinitionStatus::Active),
            answer: bytes.ok_or_else(|| call.incomplete("body"))?,
        })
    }

    /// Registers a task definition by one request that is never sent again.
    pub async fn register_once(
        &self,
        family: &str,
        input: String,
        delivery: &Delivery,
    ) -> Result<Revision, AwsError> {
        let Self { once, region, .. } = self;
        let registered = once.register_task_definition(region, family, input, delivery);
        registered.await
    }
}
