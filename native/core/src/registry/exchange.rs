//! A request until it has an answer: signed in, tried again, within its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use backon::Retryable as _;

use super::Credentials;
use super::credentials::SignInError;
use super::sign_in::{Pass, SignIns, refuses_sign_in};
use super::transport::{self, Request};
use crate::http::retry::{self, RetryPolicy};
use crate::http::{Answer, Http, NoAnswer};
use crate::reference::Repository;

/// Sends requests to registries.
pub(super) struct Exchange {
    pub(super) http: Http,
    sign_ins: SignIns,
    pub(super) policy: RetryPolicy,
}

/// Why a request has no answer in the end.
#[derive(Debug)]
pub(super) enum Failed {
    /// We could not sign in.
    SignIn(SignInError),
    /// No answer came.
    NoAnswer(NoAnswer),
}

/// How one try ended that was not the last word.
pub(super) enum Setback {
    Failed(Failed),
    /// The registry is in trouble or has too much to do.
    Busy(Answer),
}

impl Exchange {
    pub(super) fn new(http: Http, credentials: Credentials, policy: RetryPolicy) -> Self {
        Self {
            http,
            sign_ins: SignIns::new(credentials),
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
        let repository = &request.repository;
        let time = || self.policy.request_limit(started);
        let known = self.pass(repository, time()).await?;
        let send = |pass| transport::send(&self.http, request, pass, time());
        let mut answer = send(known.clone()).await?;
        if refuses_sign_in(&answer)
            && !renewed.swap(true, Ordering::Relaxed)
            && let Some(fresh) = self
                .sign_ins
                .renewed(&self.http, repository, &answer, known.as_ref(), time())
                .await?
        {
            answer = send(Some(fresh)).await?;
        }
        if answer.is_passing() {
            return Err(Setback::Busy(answer));
        }
        Ok(answer)
    }

    /// What is known to let a request in.
    pub(super) async fn pass(
        &self,
        repository: &Repository,
        time: Duration,
    ) -> Result<Option<Pass>, Setback> {
        self.sign_ins.known(&self.http, repository, time).await
    }
}

impl Setback {
    pub(super) fn is_passing(&self) -> bool {
        match self {
            // The SDK has tried often enough, and a password that was refused stays wrong.
            Self::Failed(Failed::SignIn(_)) => false,
            Self::Failed(Failed::NoAnswer(no_answer)) => no_answer.is_passing(),
            Self::Busy(_) => true,
        }
    }

    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(_) => None,
            Self::Busy(answer) => retry::retry_after(&answer.headers),
        }
    }
}

impl From<SignInError> for Setback {
    fn from(error: SignInError) -> Self {
        Self::Failed(Failed::SignIn(error))
    }
}

impl From<NoAnswer> for Setback {
    fn from(no_answer: NoAnswer) -> Self {
        Self::Failed(Failed::NoAnswer(no_answer))
    }
}

impl From<reqwest::Error> for Setback {
    fn from(error: reqwest::Error) -> Self {
        NoAnswer::from(error).into()
    }
}
