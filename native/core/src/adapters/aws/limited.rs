//! Answers of AWS, of which no more is read than they may have.

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

/// Bytes that an answer may have. The longest that is asked for, a task definition, has some 100 KiB.
const ANSWER: usize = 1024 * 1024;

/// A client whose answers end with an error where they are longer than they may be.
#[derive(Debug)]
pub(super) struct LimitedClient(pub(super) SharedHttpClient);

#[derive(Debug)]
struct LimitedConnector(SharedHttpConnector);

#[derive(Debug, thiserror::Error)]
#[error("the answer has more than {ANSWER} bytes")]
struct TooLong;

impl HttpClient for LimitedClient {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let connector = self.0.http_connector(settings, components);
        SharedHttpConnector::new(LimitedConnector(connector))
    }
}

impl HttpConnector for LimitedConnector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let answer = self.0.call(request);
        HttpConnectorFuture::new(async move { Ok(answer.await?.map(limited)) })
    }
}

fn limited(body: SdkBody) -> SdkBody {
    let body = Limited::new(body, ANSWER);
    SdkBody::from_body_1_x(body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            TooLong.into()
        } else {
            error
        }
    }))
}

#[cfg(test)]
mod tests {
    use super::ANSWER;
    use crate::adapters::aws::tests::{host, of};
    use crate::report::code::Code;
    use crate::report::problem::Problem;
    use crate::test_support::loopback_server::{LoopbackServer, Reply};

    /// An answer of so many bytes with a token in it.
    fn answer(bytes: usize) -> String {
        let start = r#"{"authorizationData": [{"authorizationToken": "QVdTOnB3"}], "more": ""#;
        format!("{start}{}\"}}", "x".repeat(bytes - start.len() - 2))
    }

    #[tokio::test]
    async fn an_answer_without_measure_is_a_failure_that_names_the_limit() {
        for (status, excess) in [(200, 0), (200, 1), (200, 20 * ANSWER), (400, 1)] {
            let body = answer(ANSWER + excess);
            let server = LoopbackServer::start(move |_, _| Reply::new(status, &[], &body)).await;
            let login = of(&server).registry_login(&host()).await;
            if excess == 0 {
                assert!(login.is_ok(), "{login:?}");
                continue;
            }
            let problem = Problem::from(login.expect_err("a failure"));
            assert_eq!(problem.code, Code::AwsRequestFailed, "{problem:?}");
            let why = problem.why.join(": ");
            assert!(why.contains("more than 1048576 bytes"), "{why}");
        }
    }
}
