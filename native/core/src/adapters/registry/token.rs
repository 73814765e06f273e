//! Tokens of registries that do not want passwords themselves
//! (<https://distribution.github.io/distribution/spec/auth/token/>).

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use url::form_urlencoded::Serializer;

use super::attempt::AttemptError;
use super::authorization_header::AuthorizationHeader;
use super::credentials::error::SignInError;
use super::refusal::RegistryRefusal;
use crate::adapters::http::client::{Answer, Http};
use crate::domain::address::{is_loopback, is_private};
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::{RegistryLogin, Shown};
use crate::report::secret::Secret;

/// Tokens with many grants in them grow, but not beyond this.
const ANSWER_LIMIT: usize = 256 * 1024;

/// Lifetime of a token whose issuer does not say, by the specification.
const USUAL_LIFE: u64 = 60;

/// The longest lifetime that is believed of an issuer; after it a token is bought anew.
const LONGEST_LIFE: u64 = 24 * 60 * 60;

/// A token is not used in its last moments, in which it could expire on the way.
const MARGIN: Duration = Duration::from_secs(5);

/// Name that we give where a token is bought by a form.
const CLIENT: &str = "falcon-arm64-patch";

/// Place where a registry says its tokens are.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) realm: String,
    pub(super) service: Option<String>,
}

pub(super) struct Bought {
    pub(super) secret: Secret,
    pub(super) lasts: Duration,
}

#[derive(Deserialize)]
struct Body {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<u64>,
}

/// Fetches a token that lets one pull from a repository.
pub(super) async fn buy(
    http: &Http,
    repository: &Repository,
    issuer: &Issuer,
    sign_in: Option<&RegistryLogin>,
    time: Duration,
) -> Result<Bought, AttemptError> {
    let realm = realm(issuer, &repository.registry)?;
    let host = realm.host_str().unwrap_or_default().to_owned();
    let scope = format!("repository:{}:pull", repository.name);
    let request = request(http, realm, issuer, &scope, sign_in);
    let answer = Answer::read(request.timeout(time).send().await?, ANSWER_LIMIT).await?;
    if answer.is_passing() {
        return Err(AttemptError::Busy(answer));
    }
    if !answer.status.is_success() {
        let refused = SignInError::TokenRefused {
            realm: host,
            registry: repository.registry.clone(),
            anonymous: sign_in.is_none(),
            status: answer.status.as_u16(),
            source: RegistryRefusal::of(&answer).cause(),
        };
        return Err(refused.into());
    }
    let body: Option<Body> = serde_json::from_slice(&answer.body).ok();
    let lasts = body.as_ref().and_then(|body| body.expires_in);
    let token = body.and_then(|body| body.token.or(body.access_token));
    let token = token.filter(|token| !token.is_empty());
    let token = token.ok_or(SignInError::TokenMissing { realm: host })?;
    Ok(Bought {
        secret: Secret::new(token),
        lasts: Duration::from_secs(lasts.unwrap_or(USUAL_LIFE).min(LONGEST_LIFE))
            .saturating_sub(MARGIN),
    })
}

/// The request: with a password by HTTP's basic scheme, with an identity token by a form.
///
/// It follows no redirect, which would carry the form with it.
fn request(
    http: &Http,
    mut realm: Url,
    issuer: &Issuer,
    scope: &str,
    sign_in: Option<&RegistryLogin>,
) -> RequestBuilder {
    let service = issuer.service.as_deref();
    if let Some(RegistryLogin {
        user: None,
        password: token,
        ..
    }) = sign_in
    {
        let mut form = Serializer::new(String::new());
        form.append_pair("grant_type", "refresh_token");
        form.extend_pairs(service.map(|service| ("service", service)));
        form.append_pair("scope", scope);
        form.append_pair("client_id", CLIENT);
        form.append_pair("refresh_token", token.reveal());
        let request = http.direct(&realm).post(realm);
        let request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        return request.body(form.finish());
    }
    // A login that goes with every request to its registry goes to that registry alone.
    let login = sign_in.filter(|login| login.shown == Shown::WhenAsked);
    {
        let mut query = realm.query_pairs_mut();
        let user = login.and_then(|login| login.user.as_ref());
        query.extend_pairs(user.map(|user| ("account", user)));
        query.extend_pairs(service.map(|service| ("service", service)));
        query.append_pair("scope", scope);
    }
    let request = http.direct(&realm).get(realm);
    let encoded = login.and_then(RegistryLogin::basic);
    let header = encoded.and_then(|encoded| AuthorizationHeader::Basic(encoded).header());
    match header {
        Some(header) => request.header(AUTHORIZATION, header),
        None => request,
    }
}

/// The issuer's address, if a password may be sent there: by HTTPS, and within this machine only for
/// a registry that is on it.
fn realm(issuer: &Issuer, registry: &str) -> Result<Url, SignInError> {
    let refused = || SignInError::RealmRefused {
        realm: crate::report::cause::Cause::said(&issuer.realm).to_string(),
    };
    let url = Url::parse(&issuer.realm).map_err(|_| refused())?;
    if is_private(&url) && (url.scheme() == "https" || is_loopback(registry)) {
        Ok(url)
    } else {
        Err(refused())
    }
}
