//! Tokens of registries that do not want passwords themselves
//! (<https://distribution.github.io/distribution/spec/auth/token/>).

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
use reqwest::{RequestBuilder, Url};
use serde::Deserialize;
use serde_json::Value;
use url::form_urlencoded::Serializer;

use super::attempt::AttemptError;
use super::authorization_header::AuthorizationHeader;
use super::credentials::error::SignInError;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use crate::adapters::http::client::{Answer, Http, NoAnswer};
use crate::adapters::http::retry::retry_after;
use crate::domain::address::{is_loopback, is_private};
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::{RegistryLogin, Shown};
use crate::report::secret::Secret;

/// Tokens with many grants in them grow, but not beyond this.
const ANSWER_LIMIT: usize = 256 * 1024;

/// Lifetime of a token whose issuer does not say, by the specification.
const USUAL_LIFE: Duration = Duration::from_mins(1);

/// The longest lifetime that is believed of an issuer; after it a token is bought anew.
const LONGEST_LIFE: Duration = Duration::from_hours(24);

/// A token is not used in its last moments, in which it could expire on the way.
const MARGIN: Duration = Duration::from_secs(5);

/// Name that we give where a token is bought by a form.
const CLIENT: &str = "falcon-arm64-patch";

/// Place where a registry says its tokens are.
#[derive(Clone, Debug)]
pub(super) struct Issuer {
    pub(super) realm: String,
    pub(super) service: Option<String>,
    /// Rights that the registry has asked for.
    pub(super) scope: Option<String>,
}

impl Issuer {
    /// The rights that a token needs: to pull from a repository, and those that the registry names where it knows the
    /// repository by another name.
    fn scopes(&self, repository: &Repository) -> Vec<String> {
        let own = format!("repository:{}:pull", repository.name);
        let asked = self.scope.as_deref().unwrap_or_default();
        let asked: Vec<&str> = asked.split_whitespace().collect();
        if asked
            .iter()
            .any(|scope| allows_pull(scope, &repository.name))
        {
            return vec![own];
        }
        let asked = asked.into_iter().map(str::to_owned);
        std::iter::once(own).chain(asked).collect()
    }
}

/// Returns true if a scope holds the right to pull from a repository
/// (<https://distribution.github.io/distribution/spec/auth/scope/>).
fn allows_pull(scope: &str, name: &str) -> bool {
    let actions = scope
        .strip_prefix("repository:")
        .and_then(|rest| rest.strip_prefix(name)?.strip_prefix(':'));
    let mut actions = actions.unwrap_or_default().split(',');
    actions.any(|action| matches!(action, "pull" | "*"))
}

pub(super) struct Bought {
    pub(super) secret: Secret,
    pub(super) lasts: Duration,
}

#[derive(Deserialize)]
struct Body {
    token: Option<String>,
    access_token: Option<String>,
    expires_in: Option<Value>,
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
    let scopes = issuer.scopes(repository);
    let request = request(http, realm, issuer, &scopes, sign_in);
    let answer = ask(request.timeout(time), &host).await?;
    if !answer.status.is_success() {
        let error = SignInError::TokenRefused {
            realm: host,
            registry: repository.registry.clone(),
            anonymous: sign_in.is_none(),
            status: answer.status.as_u16(),
            source: RegistryRefusal::of(&answer).cause(),
        };
        return Err(if answer.is_passing() {
            let retry_after = retry_after(&answer.headers);
            AttemptError::IssuerBusy { error, retry_after }
        } else {
            error.into()
        });
    }
    let body: Option<Body> = serde_json::from_slice(&answer.body).ok();
    let life = body.as_ref().and_then(|body| body.expires_in.as_ref());
    let lasts = life_of(life).saturating_sub(MARGIN);
    let tokens = body.map(|body| [body.token, body.access_token]);
    let mut tokens = tokens.into_iter().flatten().flatten();
    let token = tokens.find(|token| !token.is_empty());
    let token = token.ok_or(SignInError::TokenMissing { realm: host })?;
    Ok(Bought {
        secret: Secret::new(token),
        lasts,
    })
}

/// Sends the request; a failure names the issuer, which can be another host than the registry.
async fn ask(request: RequestBuilder, host: &str) -> Result<Answer, AttemptError> {
    let answer = async {
        let response = request.send().await?;
        Answer::read(response, ANSWER_LIMIT).await
    };
    answer.await.map_err(|no_answer| match no_answer {
        NoAnswer::Connection { source, tls } => {
            let error = SignInError::IssuerNotReachable {
                realm: host.to_owned(),
                tls,
                source,
            };
            if tls {
                return error.into();
            }
            AttemptError::IssuerBusy {
                error,
                retry_after: None,
            }
        }
        NoAnswer::TooLong { .. } | NoAnswer::Redirect(_) => no_answer.into(),
    })
}

/// The lifetime of a token in view of its issuer's words, which may be a number, a text or nonsense.
fn life_of(seconds: Option<&Value>) -> Duration {
    let seconds = seconds.and_then(|value| match value {
        Value::String(text) => text.trim().parse().ok(),
        other => other.as_f64(),
    });
    match seconds {
        Some(seconds) if seconds > 0.0 => {
            Duration::from_secs_f64(seconds.min(LONGEST_LIFE.as_secs_f64()))
        }
        _ => USUAL_LIFE,
    }
}

/// The request: with a password by HTTP's basic scheme, with an identity token by a form.
///
/// It follows no redirect, which would carry the form with it.
fn request(
    http: &Http,
    mut realm: Url,
    issuer: &Issuer,
    scopes: &[String],
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
        form.append_pair("scope", &scopes.join(" "));
        form.append_pair("client_id", CLIENT);
        form.append_pair("refresh_token", token.reveal());
        let request = http.request(RegistryRequest::TokenByForm, realm);
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
        query.extend_pairs(scopes.iter().map(|scope| ("scope", scope)));
    }
    let request = http.request(RegistryRequest::Token, realm);
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

#[cfg(test)]
mod fuzz;
