//! A request until it has an answer: signed in, tried again, within its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backon::Retryable as _;
use reqwest::StatusCode;

use super::Credentials;
use super::answer::Refusal;
use super::retry::{self, RetryPolicy};
use super::transport::{Answer, NoAnswer, Request, Transport};
use crate::aws::AwsError;

/// Sends requests to registries.
pub(super) struct Exchange {
    transport: Transport,
    credentials: Credentials,
    policy: RetryPolicy,
}

/// Why a request has no answer in the end.
#[derive(Debug)]
pub(super) enum Failed {
    /// We could not sign in.
    SignIn(AwsError),
    /// No answer came.
    NoAnswer(NoAnswer),
}

/// How one try ended that was not the last word.
enum Setback {
    Failed(Failed),
    /// The registry is in trouble or has too much to do.
    Busy(Answer),
}

impl Exchange {
    pub(super) fn new(transport: Transport, credentials: Credentials, policy: RetryPolicy) -> Self {
        Self {
            transport,
            credentials,
            policy,
        }
    }

    /// Sends a request until its answer is more than a passing trouble.
    pub(super) async fn send(&self, request: &Request) -> Result<Answer, Failed> {
        let started = Instant::now();
        let renewed = AtomicBool::new(false);
        let result = (|| self.attempt(request, started, &renewed))
            .retry(self.policy.waits())
            .when(Setback::is_passing)
            .adjust(|setback, wait| self.policy.wait(wait, setback.retry_after(), started))
            .await;
        match result {
            // A registry that stays in trouble has given its answer.
            Ok(answer) | Err(Setback::Busy(answer)) => Ok(answer),
            Err(Setback::Failed(failed)) => Err(failed),
        }
    }

    /// One try; a sign-in that is refused is renewed once for all tries together.
    async fn attempt(
        &self,
        request: &Request,
        started: Instant,
        renewed: &AtomicBool,
    ) -> Result<Answer, Setback> {
        let registry = &request.registry;
        let known = self.credentials.authorization(registry).await?;
        let time = || self.policy.request_limit(started);
        let mut answer = self.transport.send(request, known.as_ref(), time()).await?;
        if let Some(stale) = known.filter(|_| refuses_sign_in(&answer))
            && !renewed.swap(true, Ordering::Relaxed)
        {
            let fresh = self.credentials.renewed(registry, &stale).await?;
            answer = self.transport.send(request, fresh.as_ref(), time()).await?;
        }
        if answer.is_passing() {
            return Err(Setback::Busy(answer));
        }
        Ok(answer)
    }
}

/// ECR answers 403, not 401, to a token that is too old, and not always in JSON.
fn refuses_sign_in(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => Refusal::of(answer).says_expired(),
        _ => false,
    }
}

impl Setback {
    fn is_passing(&self) -> bool {
        match self {
            // The SDK has tried often enough.
            Self::Failed(Failed::SignIn(_)) => false,
            Self::Failed(Failed::NoAnswer(no_answer)) => no_answer.is_passing(),
            Self::Busy(_) => true,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(_) => None,
            Self::Busy(answer) => retry::retry_after(&answer.headers),
        }
    }
}

impl From<AwsError> for Setback {
    fn from(error: AwsError) -> Self {
        Self::Failed(Failed::SignIn(error))
    }
}

impl From<NoAnswer> for Setback {
    fn from(no_answer: NoAnswer) -> Self {
        Self::Failed(Failed::NoAnswer(no_answer))
    }
}
