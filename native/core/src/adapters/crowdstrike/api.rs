//! CrowdStrike's API: three calls that lead to a customer ID and a registry's password.
//!
//! <https://falcon.crowdstrike.com/documentation> describes them behind a sign-in; what is used here
//! can be read in <https://github.com/CrowdStrike/falcon-scripts/tree/main/bash/containers>.

use std::fmt;
use std::time::{Duration, Instant};

use reqwest::header::CONTENT_TYPE;
use reqwest::{RequestBuilder, Url};
use url::form_urlencoded::Serializer;

use super::answer::{at, not_reachable};
use super::error::FalconError;
use super::request_kind::FalconRequest;
use crate::adapters::http::client::{Answer, Http, NoAnswer};
use crate::adapters::http::retry::{AttemptFailure, RetryPolicy, retry_after};
use crate::domain::falcon::api_settings::FalconApiSettings;
use crate::domain::falcon::region::Region;
use crate::report::cause::Cause;
use crate::report::event::Events;

const ANSWER_LIMIT: usize = 1024 * 1024;

/// The API, before anyone signed in.
pub struct FalconApi {
    pub(super) settings: FalconApiSettings,
    pub(super) http: Http,
    policy: RetryPolicy,
    pub(super) events: Events,
    /// Address of a cloud's API; tests have theirs on this machine.
    address: fn(&FalconApiSettings, Region) -> Option<Url>,
}

/// Address of an API, unless an input says otherwise.
fn address(settings: &FalconApiSettings, region: Region) -> Option<Url> {
    let own = || Url::parse(&format!("https://{}", region.api_host())).ok();
    settings.api_url.clone().or_else(own)
}

impl FalconApi {
    /// Makes the client; nothing is asked yet.
    pub fn new(settings: FalconApiSettings, events: Events) -> Result<Self, FalconError> {
        let http = Http::new().map_err(|source| FalconError::NoTrust { source })?;
        Ok(Self {
            settings,
            http,
            policy: RetryPolicy::default(),
            events,
            address,
        })
    }

    /// Asks a cloud for a token.
    pub(super) async fn ask_token(&self, region: Region) -> Result<(Url, Answer), FalconError> {
        let host = region.api_host().to_owned();
        let invalid = || FalconError::AnswerInvalid {
            host,
            source: Cause::said("its address is none"),
        };
        let url = (self.address)(&self.settings, region).ok_or_else(invalid)?;
        let form = Serializer::new(String::new())
            .append_pair("client_id", &self.settings.client_id)
            .append_pair("client_secret", self.settings.client_secret.reveal())
            .finish();
        let path = at(&url, "oauth2/token");
        let request = || {
            let request = self.http.request(FalconRequest::SignIn, path.clone());
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(form.clone())
        };
        // Too many sign-ins are not cured by another one.
        let passing = |answer: &Answer| answer.status.is_server_error();
        let answer = self.send(&url, &request, passing).await?;
        Ok((url, answer))
    }

    /// Sends a request until its answer is more than a passing trouble.
    pub(super) async fn send(
        &self,
        url: &Url,
        request: &(dyn Fn() -> RequestBuilder + Sync),
        passing: impl Fn(&Answer) -> bool + Sync,
    ) -> Result<Answer, FalconError> {
        let started = Instant::now();
        let attempt = || async {
            let time = self.policy.request_limit(started);
            let response = request().timeout(time).send().await;
            let response = response.map_err(|error| AttemptError::NoAnswer(error.into()))?;
            let answer = Answer::read(response, ANSWER_LIMIT).await;
            match answer.map_err(AttemptError::NoAnswer)? {
                answer if passing(&answer) => Err(AttemptError::Busy(answer)),
                answer => Ok(answer),
            }
        };
        let result = self.policy.run(started, attempt).await;
        match result {
            Ok(answer) | Err(AttemptError::Busy(answer)) => Ok(answer),
            Err(AttemptError::NoAnswer(no_answer)) => Err(not_reachable(url, no_answer)),
        }
    }
}

/// End of one try that was not the last word.
enum AttemptError {
    NoAnswer(NoAnswer),
    Busy(Answer),
}

impl AttemptFailure for AttemptError {
    fn is_passing(&self) -> bool {
        match self {
            Self::NoAnswer(no_answer) => no_answer.is_passing(),
            Self::Busy(_) => true,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::NoAnswer(_) => None,
            Self::Busy(answer) => retry_after(&answer.headers),
        }
    }
}

impl fmt::Debug for FalconApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FalconApi").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
