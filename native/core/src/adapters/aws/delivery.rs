//! Whereabouts of a request that changes something.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use aws_sdk_ecs::config::interceptors::{
    BeforeTransmitInterceptorContextRef, FinalizerInterceptorContextRef,
};
use aws_sdk_ecs::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_ecs::error::BoxError;
use aws_smithy_runtime_api::client::interceptors::dyn_dispatch_hint;

/// Counts the tries of one request that AWS has not refused, since the SDK sends it again by itself.
///
/// Its clones count together, so that a caller can look even after it has dropped the call.
#[derive(Clone, Debug, Default)]
pub struct Delivery(Arc<AtomicU32>);

impl Delivery {
    /// The number of tries that AWS may have carried out: those that it has, and those whose answer is lost or does not
    /// tell.
    #[must_use]
    pub fn carried_out_at_most(&self) -> u32 {
        self.0.load(Ordering::SeqCst)
    }
}

#[dyn_dispatch_hint]
impl Intercept for Delivery {
    fn name(&self) -> &'static str {
        "Delivery"
    }

    fn read_before_transmit(
        &self,
        _: &BeforeTransmitInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }

    fn read_after_attempt(
        &self,
        context: &FinalizerInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let answer = context.response();
        if answer.is_some_and(|answer| answer.status().is_client_error()) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Delivery;
    use crate::adapters::aws::tests::{of, trying};
    use crate::test_support::loopback_server::{LoopbackServer, Reply};
    use std::time::Duration;

    const REVISION: &str = r#"{"taskDefinition": {"taskDefinitionArn": "arn", "revision": 7}}"#;

    /// Registers a task definition where the server gives the answers in turn, and counts the tries that may have been carried out.
    async fn possible(answers: &'static [(u16, &str)]) -> u32 {
        let server = LoopbackServer::start(move |_, nth| match answers.get(nth) {
            Some((0, _)) => Reply::none(),
            Some((status, body)) => Reply::new(*status, &[], body),
            None => Reply::never(),
        })
        .await;
        let delivery = Delivery::default();
        let aws = trying(&server, 3);
        let call = aws.register_task_definition("eu-west-1", "web", "{}".to_owned(), &delivery);
        let _ = tokio::time::timeout(Duration::from_secs(4), call).await;
        delivery.carried_out_at_most()
    }

    #[tokio::test]
    async fn every_try_counts_that_was_not_refused() {
        const REFUSAL: &str = r#"{"__type": "ClientException", "message": "no"}"#;
        let cases: [(&[(u16, &str)], u32); 6] = [
            (&[(200, REVISION)], 1),
            (&[(400, REFUSAL)], 0),
            (&[(0, ""), (200, REVISION)], 2),
            (&[(500, "{}"), (400, REFUSAL)], 1),
            (&[(0, ""), (503, "{}"), (0, "")], 3),
            (&[(200, "no JSON")], 1),
        ];
        for (answers, expected) in cases {
            assert_eq!(possible(answers).await, expected, "{answers:?}");
        }
    }

    #[tokio::test]
    async fn a_call_that_is_dropped_counts_once_it_was_sent() {
        assert_eq!(possible(&[]).await, 1);
        let delivery = Delivery::default();
        let server = LoopbackServer::start(|_, _| Reply::never()).await;
        drop(of(&server).register_task_definition("eu-west-1", "web", String::new(), &delivery));
        assert_eq!(delivery.carried_out_at_most(), 0);
    }
}
