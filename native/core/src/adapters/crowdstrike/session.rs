//! The calls of somebody who is signed in.

use std::fmt;
use std::sync::Arc;

use reqwest::header::{AUTHORIZATION, HeaderValue};
use reqwest::{StatusCode, Url};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::answer::{at, cause, host, named_region, read};
use super::api::FalconApi;
use super::error::{FalconError, says_locked};
use super::request_kind::FalconRequest;
use crate::adapters::http::client::Answer;
use crate::domain::falcon::customer_id::CustomerId;
use crate::domain::falcon::region::Region;
use crate::domain::registry_login::RegistryLogin;
use crate::report::cause::Cause;
use crate::report::secret::Secret;

// The scopes as the Falcon console shows them.
const DOWNLOAD_SENSORS: &str = "Sensor Download: Read";

const DOWNLOAD_IMAGES: &str = "Falcon Images Download: Read";

/// The API, signed in to.
pub struct Session {
    pub(super) api: Arc<FalconApi>,
    pub(super) url: Url,
    pub(super) token: Secret,
    /// The tenant's cloud.
    pub region: Region,
}

#[derive(Deserialize)]
struct Resources<T> {
    resources: Vec<T>,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

#[derive(Deserialize)]
struct RegistryToken {
    token: String,
}

impl Session {
    /// Signs in, in the cloud that the tenant is in.
    ///
    /// Each API names the right cloud in its answer, and only a cloud of the table is followed to.
    /// A refused sign-in is not repeated, because CrowdStrike locks out a client after several failures.
    pub async fn open(api: Arc<FalconApi>) -> Result<Self, FalconError> {
        let asked = api.settings.region.unwrap_or(Region::Us1);
        let (url, answer) = api.ask_token(asked).await?;
        let region = named_region(&answer, asked)?;
        if region == asked {
            return Self::granted(api, region, url, &answer);
        }
        let is_refused = answer.status.is_client_error();
        if api.settings.region.is_some() || api.settings.api_url.is_some() || is_refused {
            return Err(FalconError::RegionMismatch {
                asked: asked.name(),
                actual: region.name().to_owned(),
            });
        }
        let (url, answer) = api.ask_token(region).await?;
        Self::granted(api, region, url, &answer)
    }

    fn granted(
        api: Arc<FalconApi>,
        region: Region,
        url: Url,
        answer: &Answer,
    ) -> Result<Self, FalconError> {
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
        api.events.mask(&token);
        Ok(Self {
            api,
            url,
            token,
            region,
        })
    }

    /// The tenant's customer ID with its checksum.
    pub async fn customer_id(&self) -> Result<CustomerId, FalconError> {
        let path = "sensors/queries/installers/ccid/v1";
        let found: Resources<String> = self
            .get(FalconRequest::CustomerId, path, DOWNLOAD_SENSORS)
            .await?;
        let id = found.resources.into_iter().next();
        let id = id.and_then(|text| text.parse::<CustomerId>().ok());
        let id = id.ok_or_else(|| self.invalid("it holds no customer ID with a checksum"))?;
        for form in id.forms() {
            self.api.events.mask(&form);
        }
        Ok(id)
    }

    /// Fetches the login to the registry.
    pub async fn registry_login(&self, id: &CustomerId) -> Result<RegistryLogin, FalconError> {
        let path = "container-security/entities/image-registry-credentials/v1";
        let found: Resources<RegistryToken> = self
            .get(FalconRequest::RegistryPassword, path, DOWNLOAD_IMAGES)
            .await?;
        let mut tokens = found.resources.into_iter().map(|resource| resource.token);
        let token = tokens.find(|token| !token.is_empty());
        let token = token.ok_or_else(|| self.invalid("it holds no password for the registry"))?;
        let token = Secret::new(token);
        self.api.events.mask(&token);
        Ok(RegistryLogin::password(id.registry_user(), token))
    }

    /// The host of the registry.
    #[must_use]
    pub fn registry(&self) -> String {
        let given = self.api.settings.registry.clone();
        given.unwrap_or_else(|| self.region.registry_host().to_owned())
    }

    async fn get<T: DeserializeOwned>(
        &self,
        kind: FalconRequest,
        path: &str,
        scope: &'static str,
    ) -> Result<T, FalconError> {
        let url = at(&self.url, path);
        let bearer = HeaderValue::from_str(&format!("Bearer {}", self.token.reveal()));
        let mut bearer = bearer.map_err(|_| self.invalid("its token is none"))?;
        bearer.set_sensitive(true);
        let request = || {
            let request = self.api.http.request(kind, url.clone());
            request.header(AUTHORIZATION, bearer.clone())
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

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session")
            .field("region", &self.region)
            .finish_non_exhaustive()
    }
}
