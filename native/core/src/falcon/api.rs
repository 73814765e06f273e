//! CrowdStrike's API: three calls that lead to a customer ID and a registry's password.
//!
//! <https://falcon.crowdstrike.com/documentation> describes them behind a sign-in; what is used here
//! can be read in <https://github.com/CrowdStrike/falcon-scripts/tree/main/bash/containers>.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use backon::Retryable as _;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use reqwest::{RequestBuilder, StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use url::form_urlencoded::Serializer;

use super::error::says_locked;
use super::{CustomerId, FalconError, Region};
use crate::aws::Authorization;
use crate::cause::Cause;
use crate::event::Events;
use crate::http::retry::{RetryPolicy, retry_after};
use crate::http::{Answer, Http, NoAnswer};
use crate::secret::Secret;

const ANSWER_LIMIT: usize = 1024 * 1024;
/// Names the cloud that a client belongs to.
const REGION_HEADER: &str = "x-cs-region";
const DOWNLOAD_SENSORS: &str = "Sensor Download: Read";
const DOWNLOAD_IMAGES: &str = "Falcon Images Download: Read";

/// How to get at CrowdStrike's API and registry.
#[derive(Clone, Debug)]
pub struct FalconApiSettings {
    /// The API client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The cloud; none finds it.
    pub region: Option<Region>,
    /// Another address than the cloud's API.
    pub api_url: Option<Url>,
    /// Another host than the cloud's registry.
    pub registry: Option<String>,
}

/// The API, before anybody signed in.
pub struct FalconApi {
    settings: FalconApiSettings,
    http: Http,
    policy: RetryPolicy,
    events: Events,
    /// Where a cloud's API is; tests have theirs on this machine.
    address: fn(&FalconApiSettings, Region) -> Option<Url>,
}

/// The API, signed in to.
pub struct Session {
    api: Arc<FalconApi>,
    url: Url,
    token: Secret,
    /// The tenant's cloud.
    pub region: Region,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct Resources<T> {
    resources: Vec<T>,
}

#[derive(Deserialize)]
struct RegistryToken {
    token: String,
}

/// What the API says when it refuses.
#[derive(Deserialize)]
struct Refusal {
    errors: Vec<RefusalError>,
}

#[derive(Deserialize)]
struct RefusalError {
    message: String,
}

/// Where an API is, unless an input says otherwise.
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

    /// Signs in, in the cloud that the tenant is in.
    ///
    /// Each API names the right cloud in its answer, and only a cloud of the table is followed to.
    /// What is refused is not tried again: CrowdStrike locks out who fails too often.
    pub async fn sign_in(self: &Arc<Self>) -> Result<Session, FalconError> {
        let asked = self.settings.region.unwrap_or(Region::Us1);
        let (url, answer) = self.ask_token(asked).await?;
        let region = named_region(&answer, asked)?;
        if region == asked {
            return self.session(region, url, &answer);
        }
        let is_refused = answer.status.is_client_error();
        if self.settings.region.is_some() || self.settings.api_url.is_some() || is_refused {
            return Err(FalconError::RegionMismatch {
                asked: asked.name(),
                actual: region.name().to_owned(),
            });
        }
        let (url, answer) = self.ask_token(region).await?;
        self.session(region, url, &answer)
    }

    async fn ask_token(&self, region: Region) -> Result<(Url, Answer), FalconError> {
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
            let request = self.http.direct(&path).post(path.clone());
            let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
            request.body(form.clone())
        };
        // Too many sign-ins are not cured by another one.
        let passing = |answer: &Answer| answer.status.is_server_error();
        let answer = self.send(&url, &request, passing).await?;
        Ok((url, answer))
    }

    fn session(
        self: &Arc<Self>,
        region: Region,
        url: Url,
        answer: &Answer,
    ) -> Result<Session, FalconError> {
        let host = host(&url);
        if !answer.status.is_success() {
            let source = cause(answer);
            let said = source.to_string();
            return Err(match answer.status {
                StatusCode::TOO_MANY_REQUESTS => FalconError::LockedOut { host, source },
                _ if says_locked(&said) => FalconError::LockedOut { host, source },
                StatusCode::BAD_REQUEST | StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                    FalconError::ClientRefused { host, source }
                }
                _ => FalconError::RequestFailed { host, source },
            });
        }
        let token: Token = read(&url, answer)?;
        let token = Secret::new(token.access_token);
        self.events.mask(&token);
        Ok(Session {
            api: Arc::clone(self),
            url,
            token,
            region,
        })
    }

    /// Sends a request until its answer is more than a passing trouble.
    async fn send(
        &self,
        url: &Url,
        request: &(dyn Fn() -> RequestBuilder + Sync),
        passing: impl Fn(&Answer) -> bool + Sync,
    ) -> Result<Answer, FalconError> {
        let started = Instant::now();
        let attempt = || async {
            let time = self.policy.request_limit(started);
            let response = request().timeout(time).send().await;
            let response = response.map_err(|error| Setback::NoAnswer(error.into()))?;
            let answer = Answer::read(response, ANSWER_LIMIT).await;
            match answer.map_err(Setback::NoAnswer)? {
                answer if passing(&answer) => Err(Setback::Busy(answer)),
                answer => Ok(answer),
            }
        };
        let result = attempt
            .retry(self.policy.waits())
            .when(Setback::is_passing)
            .adjust(|setback, wait| self.policy.wait(wait, setback.retry_after(), started))
            .await;
        match result {
            Ok(answer) | Err(Setback::Busy(answer)) => Ok(answer),
            Err(Setback::NoAnswer(no_answer)) => Err(not_reachable(url, no_answer)),
        }
    }
}

impl Session {
    /// The tenant's customer ID with its checksum.
    pub async fn customer_id(&self) -> Result<CustomerId, FalconError> {
        let path = "sensors/queries/installers/ccid/v1";
        let found: Resources<String> = self.get(path, DOWNLOAD_SENSORS).await?;
        let id = found.resources.into_iter().next();
        let id = id.and_then(|text| text.parse::<CustomerId>().ok());
        let id = id.ok_or_else(|| self.invalid("it holds no customer ID with a checksum"))?;
        for form in id.forms() {
            self.api.events.mask(&form);
        }
        Ok(id)
    }

    /// What signs in to the registry.
    pub async fn registry_sign_in(&self, id: &CustomerId) -> Result<Authorization, FalconError> {
        let path = "container-security/entities/image-registry-credentials/v1";
        let found: Resources<RegistryToken> = self.get(path, DOWNLOAD_IMAGES).await?;
        let mut tokens = found.resources.into_iter().map(|resource| resource.token);
        let token = tokens.find(|token| !token.is_empty());
        let token = token.ok_or_else(|| self.invalid("it holds no password for the registry"))?;
        let token = Secret::new(token);
        self.api.events.mask(&token);
        Ok(Authorization::of(id.registry_user(), token))
    }

    /// The host of the registry.
    #[must_use]
    pub fn registry(&self) -> String {
        let given = self.api.settings.registry.clone();
        given.unwrap_or_else(|| self.region.registry_host().to_owned())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        path: &str,
        scope: &'static str,
    ) -> Result<T, FalconError> {
        let url = at(&self.url, path);
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.reveal()));
        let mut bearer = bearer.map_err(|_| self.invalid("its token is none"))?;
        bearer.set_sensitive(true);
        let client = self.api.http.direct(&url);
        let request = || {
            client
                .get(url.clone())
                .header(AUTHORIZATION, bearer.clone())
        };
        let answer = self
            .api
            .send(&self.url, &request, Answer::is_passing)
            .await?;
        if answer.status.is_success() {
            return read(&self.url, &answer);
        }
        let (host, source) = (host(&self.url), cause(&answer));
        Err(match answer.status {
            StatusCode::FORBIDDEN => FalconError::ScopeMissing { scope, source },
            StatusCode::UNAUTHORIZED => FalconError::ClientRefused { host, source },
            _ => FalconError::RequestFailed { host, source },
        })
    }

    fn invalid(&self, why: &str) -> FalconError {
        FalconError::AnswerInvalid {
            host: host(&self.url),
            source: Cause::said(why),
        }
    }
}

/// How one try ended that was not the last word.
enum Setback {
    NoAnswer(NoAnswer),
    Busy(Answer),
}

impl Setback {
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

/// The cloud that an answer names; the one that was asked if it names none.
fn named_region(answer: &Answer, asked: Region) -> Result<Region, FalconError> {
    let Some(name) = answer.header(REGION_HEADER).filter(|name| !name.is_empty()) else {
        return Ok(asked);
    };
    let name = name.trim().to_ascii_lowercase();
    Region::named(&name).ok_or_else(|| FalconError::RegionMismatch {
        asked: asked.name(),
        actual: Cause::said(&name).to_string(),
    })
}

/// A call's address below that of the API, which may have a path of its own behind a proxy.
fn at(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/{path}"));
    url
}

fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

fn read<T: DeserializeOwned>(url: &Url, answer: &Answer) -> Result<T, FalconError> {
    // The parser's own words could quote a secret.
    serde_json::from_slice(&answer.body).map_err(|_| FalconError::AnswerInvalid {
        host: host(url),
        source: Cause::said("it is no JSON of the expected form"),
    })
}

fn cause(answer: &Answer) -> Cause {
    let refusal: Option<Refusal> = serde_json::from_slice(&answer.body).ok();
    let first = refusal.and_then(|refusal| refusal.errors.into_iter().next());
    let said = match first {
        Some(error) => error.message,
        None => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    Cause::said(&format!(
        "the API answers {}: {said}",
        answer.status.as_u16()
    ))
}

fn not_reachable(url: &Url, no_answer: NoAnswer) -> FalconError {
    let host = host(url);
    match no_answer {
        NoAnswer::Connection { source, tls } => FalconError::NotReachable { host, tls, source },
        NoAnswer::Redirect(source) => FalconError::AnswerInvalid { host, source },
        NoAnswer::TooLong => FalconError::AnswerInvalid {
            host,
            source: Cause::said("it is too long"),
        },
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for FalconApi {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FalconApi").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
