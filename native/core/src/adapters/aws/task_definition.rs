//! Registers ECS task definitions.

use aws_config::Region;
use aws_sdk_ecs::operation::register_task_definition::RegisterTaskDefinitionError;

use super::account::Aws;
use super::action::Action;
use super::call::{Call, usual_host};
use super::delivery::Delivery;
use super::error::AwsError;
use crate::domain::aws::revision::Revision;

impl Aws {
    /// Registers a task definition: a new revision of `family`, also where nothing in it is new.
    ///
    /// `input` is what `aws ecs register-task-definition --cli-input-json` takes, and thereby, since ECS speaks JSON,
    /// the body of the request as well. It is sent as it is: the SDK's types would drop each field that they do not
    /// know yet. The SDK signs, retries, and reads the answer; each try that ECS carries out is a revision, so
    /// `delivery` counts them.
    pub async fn register_task_definition(
        &self,
        region: &str,
        family: &str,
        input: String,
        delivery: &Delivery,
    ) -> Result<Revision, AwsError> {
        let call = Call {
            action: Action::RegisterTaskDefinition,
            purpose: format!("register the ECS task definition `{family}`"),
            host: usual_host("ecs", region),
            repository: None,
            origin: self.origin(),
        };
        self.0.provider.credentials().await?;
        let config = aws_sdk_ecs::config::Builder::from(&self.0.sdk);
        let region = Region::new(region.to_owned());
        let client = aws_sdk_ecs::Client::from_conf(config.region(region).build());
        let request = client.register_task_definition().customize();
        let request = request.interceptor(delivery.clone());
        let request = request.mutate_request(move |request| {
            let length = input.len().to_string();
            request.headers_mut().insert("content-length", length);
            *request.body_mut() = input.clone().into();
        });
        let answer = request.send().await.map_err(|error| {
            let is_refused = error.as_service_error().is_some_and(is_about_the_content);
            match call.failed(error) {
                AwsError::RequestFailed { source, .. } if is_refused => {
                    AwsError::TaskDefinitionRefused {
                        family: family.to_owned(),
                        source,
                    }
                }
                error => error,
            }
        })?;
        let registered = answer.task_definition;
        let registered = registered.ok_or_else(|| call.incomplete("task definition"))?;
        let number = registered.revision;
        let arn = registered.task_definition_arn;
        Ok(Revision {
            arn: arn.ok_or_else(|| call.incomplete("ARN"))?,
            number,
        })
    }
}

/// ECS says `ClientException` of most that is wrong with a definition.
fn is_about_the_content(error: &RegisterTaskDefinitionError) -> bool {
    error.is_client_exception() || error.is_invalid_parameter_exception()
}

#[cfg(test)]
mod tests {
    use crate::adapters::aws::delivery::Delivery;
    use crate::adapters::aws::error::AwsError;
    use crate::adapters::aws::tests::{of, server};
    use crate::domain::aws::revision::Revision;
    use crate::report::problem::{Explain, Problem};
    use serde_json::{Value, json};

    const INPUT: &str = "{\"family\": \"web\",\n \"newField\": [1.50]}\n";

    async fn register(status: u16, body: Value) -> Result<Revision, AwsError> {
        let server = server(status, body).await;
        let registered = of(&server)
            .register_task_definition("eu-west-1", "web", INPUT.to_owned(), &Delivery::default())
            .await;
        let received = &server.received()[0];
        assert_eq!(
            received.body,
            INPUT.as_bytes(),
            "the body is what was given"
        );
        let length = received.header("content-length").map(str::to_owned);
        assert_eq!(length, Some(INPUT.len().to_string()));
        let signed = received.header("authorization").unwrap_or_default();
        assert!(signed.contains("/eu-west-1/ecs/aws4_request"), "{signed}");
        registered
    }

    #[tokio::test]
    async fn a_definition_is_sent_as_it_is_and_the_answer_read_by_the_sdk() {
        let arn = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";
        let answer = json!({"taskDefinition": {"taskDefinitionArn": arn, "revision": 7}});
        let revision = register(200, answer).await.expect("a revision");
        assert_eq!((revision.arn.as_str(), revision.number), (arn, 7));
        let error = register(200, json!({})).await.expect_err("no revision");
        assert_eq!(error.code().as_str(), "AWS_REQUEST_FAILED");
    }

    async fn refused(code: &str, message: &str) -> Problem {
        let body = json!({"__type": code, "message": message});
        let error = register(400, body).await.expect_err("a refusal");
        error.into()
    }

    #[tokio::test]
    async fn a_role_that_may_not_be_passed_on_is_a_denial_whatever_code_it_has() {
        let role = "arn:aws:iam::123456789012:role/ecsTaskExecutionRole";
        for code in ["AccessDeniedException", "ClientException"] {
            let message = format!(
                "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: iam:PassRole on resource: {role} because no identity-based policy allows the iam:PassRole action"
            );
            let problem = refused(code, &message).await;
            assert_eq!(problem.code.as_str(), "AWS_DENIED");
            assert_eq!(
                problem.what,
                format!("AWS denies `iam:PassRole` on `{role}`")
            );
        }
        let problem = refused("AccessDeniedException", "denied").await;
        assert_eq!(problem.what, "AWS denies `ecs:RegisterTaskDefinition`");
    }

    #[tokio::test]
    async fn what_ecs_has_against_the_content_is_the_users_to_correct() {
        let message = "Invalid setting for container 'web'.";
        for code in ["ClientException", "InvalidParameterException"] {
            let problem = refused(code, message).await;
            assert_eq!(problem.code.as_str(), "ECS_REGISTRATION_REFUSED");
            assert_eq!(
                problem.what,
                "ECS does not accept the task definition `web`"
            );
            assert!(problem.why[0].ends_with(message), "{:?}", problem.why);
        }
    }
}
