//! A request until it has an answer: signed in, tried again, within its time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Method, Response};

use super::attempt::{AttemptError, Failed};
use super::authorization_header::AuthorizationHeader;
use super::credentials::cache::Credentials;
use super::request_kind::RegistryRequest;
use super::sign_in::{SignIns, hides_challenge, is_denial, refuses_sign_in};
use super::transport;
use super::transport::Request;
use crate::adapters::http::client::{Answer, Http, RequestKind as _};
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::reference::repository::Repository;

/// Sends requests to registries.
pub(super) struct Exchange {
    pub(super) http: Http,
    sign_ins: SignIns,
    pub(super) policy: RetryPolicy,
}

/// An answer whose body is read only where it is a refusal.
pub(super) enum Opened {
    Good(Response),
    Refused(Answer),
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
        let attempt = || self.attempt(request, started, &renewed);
        let result = self.policy.run(started, attempt).await;
        result.or_else(AttemptError::end)
    }

    /// One try; a sign-in that is refused is renewed once for all tries together.
    async fn attempt(
        &self,
        request: &Request,
        started: Instant,
        renewed: &AtomicBool,
    ) -> Result<Answer, AttemptError> {
        let time = self.policy.request_limit(started);
        let answer = match self.signed(request, renewed, time).await? {
            Opened::Good(response) => Answer::read(response, request.limit).await?,
            Opened::Refused(answer) => answer,
        };
        if answer.is_passing() {
            return Err(AttemptError::Busy(answer));
        }
        Ok(answer)
    }

    /// Sends a request once, for callers that try again themselves.
    pub(super) async fn try_once(&self, request: &Request) -> Result<Answer, AttemptError> {
        self.attempt(request, Instant::now(), &AtomicBool::new(false))
            .await
    }

    /// Sends a request once and leaves a good answer's body to be read, all of it within `time`.
    pub(super) async fn open(
        &self,
        request: &Request,
        time: Duration,
    ) -> Result<Opened, AttemptError> {
        self.signed(request, &AtomicBool::new(false), time).await
    }

    /// Sends a request with what is known to let it in, and with something better if that is refused.
    async fn signed(
        &self,
        request: &Request,
        renewed: &AtomicBool,
        time: Duration,
    ) -> Result<Opened, AttemptError> {
        let repository = &request.repository;
        let opened = self.opened_with_login(request, renewed, time).await;
        let is_refused = match &opened {
            Ok(Opened::Refused(answer)) => is_denial(answer.status),
            Err(AttemptError::Failed(Failed::SignIn(error))) => error.is_of_anonymous(),
            Ok(Opened::Good(_)) | Err(_) => false,
        };
        // Without a login that Docker's configuration promises, a refusal was to be expected.
        match self.sign_ins.missing_login(repository).await {
            Some(error) if is_refused => Err(error.into()),
            _ => opened,
        }
    }

    async fn opened_with_login(
        &self,
        request: &Request,
        renewed: &AtomicBool,
        time: Duration,
    ) -> Result<Opened, AttemptError> {
        let repository = &request.repository;
        let known = self.pass(repository, time).await?;
        let answer = match self.opened(request, known.clone(), time).await? {
            Opened::Refused(answer) => answer,
            good @ Opened::Good(_) => return Ok(good),
        };
        let hides = known.is_none() && hides_challenge(&answer);
        // The answer to a HEAD has no body that could say that a login has expired.
        let may_be_expired = request.kind.method() == Method::HEAD && is_denial(answer.status);
        let is_refused = hides || may_be_expired || refuses_sign_in(&answer);
        if !is_refused || renewed.load(Ordering::Relaxed) {
            return Ok(Opened::Refused(answer));
        }
        let challenge = if hides {
            self.challenge(request, time).await?
        } else {
            None
        };
        let refusal = challenge.as_ref().unwrap_or(&answer);
        let fresh = self
            .sign_ins
            .renewed(&self.http, repository, refusal, known.as_ref(), time)
            .await?;
        // Trouble that passes leaves the renewal to the next try.
        renewed.store(true, Ordering::Relaxed);
        match fresh {
            Some(fresh) => self.opened(request, Some(fresh), time).await,
            None => Ok(Opened::Refused(answer)),
        }
    }

    /// Asks a registry for its challenge where a login is at hand that nothing has asked for. Some registries answer
    /// "not found" to all that they do not know (<https://github.com/containerd/containerd/issues/3291>).
    async fn challenge(
        &self,
        request: &Request,
        time: Duration,
    ) -> Result<Option<Answer>, AttemptError> {
        let repository = &request.repository;
        if !self.sign_ins.has_login(repository).await? {
            return Ok(None);
        }
        let first = Request {
            kind: RegistryRequest::Challenge,
            repository: repository.clone(),
            path: "/v2/".to_owned(),
            offset: 0,
            accept: None,
            body: None,
            limit: request.limit,
        };
        match self.opened(&first, None, time).await? {
            Opened::Refused(answer) if answer.is_passing() => Err(AttemptError::Busy(answer)),
            Opened::Refused(answer) if refuses_sign_in(&answer) => Ok(Some(answer)),
            Opened::Refused(_) | Opened::Good(_) => Ok(None),
        }
    }

    /// Replaces a sign-in that was refused, for callers that send their requests themselves. Returns true if another
    /// try has something better to show.
    pub(super) async fn renew(
        &self,
        repository: &Repository,
        refusal: &Answer,
        stale: Option<&AuthorizationHeader>,
        time: Duration,
    ) -> Result<bool, AttemptError> {
        let fresh = self
            .sign_ins
            .renewed(&self.http, repository, refusal, stale, time)
            .await?;
        Ok(fresh.is_some())
    }

    async fn opened(
        &self,
        request: &Request,
        pass: Option<AuthorizationHeader>,
        time: Duration,
    ) -> Result<Opened, AttemptError> {
        let response = transport::send(&self.http, request, pass, time).await?;
        if response.status().is_success() {
            return Ok(Opened::Good(response));
        }
        Ok(Opened::Refused(
            Answer::read(response, request.limit).await?,
        ))
    }

    /// Header that is known to let a request in.
    pub(super) async fn pass(
        &self,
        repository: &Repository,
        time: Duration,
    ) -> Result<Option<AuthorizationHeader>, AttemptError> {
        self.sign_ins.known(&self.http, repository, time).await
    }
}
