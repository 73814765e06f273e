//! Signing in with a token that the system that runs the job issues for it, so that no key is stored.

use std::time::{Duration, Instant};

use aws_config::SdkConfig;
use aws_credential_types::Credentials;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, StatusCode, Url};
use serde_json::Value;

use super::error::AwsError;
use super::role;
use crate::adapters::http::connection::{connection_hint, is_tls};
use crate::adapters::http::retry::{AttemptFailure, RetryPolicy, is_passing};
use crate::adapters::http::trust::client_config;
use crate::domain::aws::claims::Claims;
use crate::domain::aws::settings::{OidcRequest, Role};
use crate::report::cause::Cause;
use crate::report::event::Events;
use crate::report::secret::Secret;

/// Shorter than the time in which a connection usually fails by itself: a new one tends to work.
const CONNECT: Duration = Duration::from_secs(5);

const REQUEST: Duration = Duration::from_secs(10);

const BUDGET: Duration = Duration::from_mins(1);

/// A token has some 2 kB.
const ANSWER_LIMIT: usize = 64 * 1024;

/// A role, and how to get the token that opens it.
pub(super) struct Oidc {
    pub(super) request: OidcRequest,
    pub(super) role: Role,
    pub(super) retry: RetryPolicy,
}

/// The policy for a token. On some networks one request in five gets no answer
/// (<https://github.com/aws/aws-toolkit-azure-devops/issues/591>).
pub(super) fn retry_policy() -> RetryPolicy {
    RetryPolicy {
        first_wait: Duration::from_secs(1),
        request: REQUEST,
        budget: BUDGET,
        ..RetryPolicy::default()
    }
}

impl Oidc {
    /// Asks for a token and opens the role with it.
    pub(super) async fn sign_in(
        &self,
        sdk: &SdkConfig,
        events: &Events,
    ) -> Result<Credentials, AwsError> {
        let token = self.token().await?;
        events.mask(&token);
        let claims = Claims::of(&token).unwrap_or_default();
        role::open_with_token(sdk, &self.role, &token, &claims).await
    }

    async fn token(&self) -> Result<Secret, AwsError> {
        let client = self.client()?;
        // The jitter of the waits keeps the jobs of a matrix apart.
        let started = Instant::now();
        let attempt = || self.ask(&client, self.retry.request_limit(started));
        let asked = self.retry.run(started, attempt).await;
        asked.map_err(|failure| *failure.error)
    }

    fn client(&self) -> Result<Client, AwsError> {
        let failed = |source| {
            let host = self.request.url.host_str().unwrap_or_default();
            AwsError::OidcFailed {
                source,
                hint: connection_hint(host, true),
            }
        };
        let mut builder = Client::builder()
            .tls_backend_preconfigured(client_config().map_err(failed)?)
            .connect_timeout(CONNECT)
            // The job's token is meant for this host alone, and a page to sign in at is of no use.
            .redirect(Policy::none())
            .user_agent(concat!("falcon-patch/", env!("CARGO_PKG_VERSION")));
        if is_plain(&self.request.url) {
            builder = builder.no_proxy();
        }
        builder.build().map_err(|error| failed(Cause::of(&error)))
    }

    /// One request (<https://learn.microsoft.com/rest/api/azure/devops/distributedtask/oidctoken/create>).
    async fn ask(&self, client: &Client, limit: Duration) -> Result<Secret, AttemptError> {
        let bearer = format!("Bearer {}", self.request.job_token.reveal());
        let mut bearer = HeaderValue::from_str(&bearer).map_err(|_| {
            AttemptError::last("the job's token is invalid", FOREIGN_TOKEN.to_owned())
        })?;
        bearer.set_sensitive(true);
        let request = client
            .post(self.request.url.clone())
            .timeout(limit)
            .header(AUTHORIZATION, bearer)
            .header(CONTENT_TYPE, "application/json")
            // Servers of Microsoft answer 411 to a POST that does not say that it is empty.
            .header(CONTENT_LENGTH, "0")
            // Otherwise a refusal is a redirect to a page.
            .header("X-TFS-FedAuthRedirect", "Suppress")
            .body(Vec::new());
        let mut response = request.send().await.map_err(|error| self.lost(error))?;
        let status = response.status();
        let mut body = Vec::new();
        while body.len() <= ANSWER_LIMIT
            && let Some(chunk) = response.chunk().await.map_err(|error| self.lost(error))?
        {
            body.extend_from_slice(&chunk);
        }
        read(status, &body)
    }

    fn lost(&self, error: reqwest::Error) -> AttemptError {
        let error = error.without_url();
        let tls = is_tls(&error);
        let host = self.request.url.host_str().unwrap_or_default();
        AttemptError {
            passing: !tls,
            error: Box::new(AwsError::OidcFailed {
                source: Cause::of(&error),
                hint: connection_hint(host, tls),
            }),
        }
    }
}

/// Hosts on this machine are never asked through a proxy, as everywhere in this crate.
fn is_plain(url: &Url) -> bool {
    url.scheme() == "http"
}

const FOREIGN_TOKEN: &str = "Leave the job's own connection and `System.AccessToken` as the agent sets them, and permit this pipeline to use the service connection";

const NO_SUCH_CONNECTION: &str = "Check that the service connection is there, uses OIDC, and that this pipeline may use it: Project settings > Service connections";

/// Reason that one request brought no token.
struct AttemptError {
    error: Box<AwsError>,
    passing: bool,
}

impl AttemptFailure for AttemptError {
    fn is_passing(&self) -> bool {
        self.passing
    }
}

impl AttemptError {
    fn last(why: &str, hint: String) -> Self {
        Self {
            error: Box::new(AwsError::OidcFailed {
                source: Cause::said(why),
                hint,
            }),
            passing: false,
        }
    }
}

fn read(status: StatusCode, body: &[u8]) -> Result<Secret, AttemptError> {
    if status == StatusCode::OK && body.len() > ANSWER_LIMIT {
        let why = format!("the answer has more than {ANSWER_LIMIT} bytes");
        return Err(AttemptError::last(&why, NO_SUCH_CONNECTION.to_owned()));
    }
    if status == StatusCode::OK {
        let answer: Option<Value> = serde_json::from_slice(body).ok();
        let token = answer
            .as_ref()
            .and_then(|answer| answer["oidcToken"].as_str());
        return token
            .filter(|token| !token.is_empty())
            .map(Secret::new)
            .ok_or_else(|| {
                let why = "the answer holds no token";
                AttemptError::last(why, NO_SUCH_CONNECTION.to_owned())
            });
    }
    let passing = is_passing(status);
    let hint = match status.as_u16() {
        // 203 comes with a page to sign in at, where the job's token is not known.
        203 | 302 | 401 | 403 => FOREIGN_TOKEN,
        _ if passing => {
            "Run the step again; if it stays so, see whether Azure DevOps has troubles: https://status.dev.azure.com"
        }
        _ => NO_SUCH_CONNECTION,
    };
    let mut failure = AttemptError::last(&refusal(status, body), hint.to_owned());
    failure.passing = passing;
    Err(failure)
}

/// The status with the server's own words: its errors are JSON with a `message`.
fn refusal(status: StatusCode, body: &[u8]) -> String {
    let answer: Option<Value> = serde_json::from_slice(body).ok();
    let message = answer
        .as_ref()
        .and_then(|answer| answer["message"].as_str());
    match message {
        Some(message) => format!("HTTP {}: {message}", status.as_u16()),
        None => format!("HTTP {}", status.as_u16()),
    }
}

impl Claims {
    /// Reads a token without checking it: that is for AWS to do.
    fn of(token: &Secret) -> Option<Self> {
        let payload = token.reveal().split('.').nth(1)?;
        let payload = URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')).ok()?;
        let claims: Value = serde_json::from_slice(&payload).ok()?;
        let text = |name: &str| {
            let value = match &claims[name] {
                Value::Array(values) => values.first().and_then(Value::as_str),
                value => value.as_str(),
            };
            Cause::said(value.unwrap_or_default()).to_string()
        };
        Some(Self {
            issuer: text("iss"),
            subject: text("sub"),
            audience: text("aud"),
        })
    }

    /// The issuer as IAM names it.
    pub(super) fn provider(&self) -> &str {
        let issuer = self.issuer.as_str();
        issuer.strip_prefix("https://").unwrap_or(issuer)
    }
}

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
