//! The `Authorization` header of a request, chosen by what the registry has answered.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, Instant};

use reqwest::StatusCode;
use tokio::sync::Mutex;

use super::attempt::AttemptError;
use super::authorization_header::AuthorizationHeader;
use super::challenge::{Challenge, challenges};
use super::credentials::cache::Credentials;
use super::credentials::error::SignInError;
use super::refusal::RegistryRefusal;
use super::token;
use super::token::Issuer;
use crate::adapters::http::client::{Answer, Http};
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::{RegistryLogin, Shown};
use crate::report::secret::Secret;

/// The sign-ins of a run: passwords, and the tokens they bought.
pub(super) struct SignIns {
    credentials: Credentials,
    /// One for each registry and repository, which together are what a token is good for.
    tokens: StdMutex<HashMap<Repository, Arc<Mutex<Option<Token>>>>>,
    /// Registries that have asked for the password itself.
    basic: StdMutex<HashSet<String>>,
}

struct Token {
    secret: Secret,
    until: Instant,
    issuer: Issuer,
}

impl SignIns {
    pub(super) fn new(credentials: Credentials) -> Self {
        Self {
            credentials,
            tokens: StdMutex::default(),
            basic: StdMutex::default(),
        }
    }

    /// Returns true if there is a login for a repository.
    pub(super) async fn has_login(&self, repository: &Repository) -> Result<bool, SignInError> {
        Ok(self.credentials.login(repository).await?.is_some())
    }

    /// Reason that a repository must be accessed without its login, if it must.
    pub(super) async fn missing_login(&self, repository: &Repository) -> Option<SignInError> {
        self.credentials.missing(repository).await
    }

    /// Header that is known to let a request in; nothing, until a registry has said what it wants.
    pub(super) async fn known(
        &self,
        http: &Http,
        repository: &Repository,
        time: Duration,
    ) -> Result<Option<AuthorizationHeader>, AttemptError> {
        let registry = &repository.registry;
        let sign_in = self.credentials.login(repository).await?;
        if let Some(login) = &sign_in
            && (login.shown == Shown::Always || self.wants_basic(registry))
            && let Some(encoded) = login.basic()
        {
            return Ok(Some(AuthorizationHeader::Basic(encoded)));
        }
        let slot = self.slot(repository);
        let mut known = slot.lock().await;
        let Some(token) = known.as_ref() else {
            return Ok(None);
        };
        if token.until > Instant::now() {
            return Ok(Some(AuthorizationHeader::Bearer(token.secret.clone())));
        }
        let issuer = token.issuer.clone();
        let pass = self
            .buy(http, repository, issuer, sign_in.as_ref(), time)
            .await?;
        Ok(Some(AuthorizationHeader::Bearer(
            known.insert(pass).secret.clone(),
        )))
    }

    /// Header that lets a request in now that it was refused with `stale`; nothing if no more can be shown.
    pub(super) async fn renewed(
        &self,
        http: &Http,
        repository: &Repository,
        refusal: &Answer,
        stale: Option<&AuthorizationHeader>,
        time: Duration,
    ) -> Result<Option<AuthorizationHeader>, AttemptError> {
        let registry = &repository.registry;
        let sign_in = self.credentials.login(repository).await?;
        if let (Some(login), Some(AuthorizationHeader::Basic(encoded))) = (&sign_in, stale)
            && login.renewable
        {
            return self.renew(repository, encoded, login).await;
        }
        for challenge in challenges(&refusal.headers) {
            match (challenge, &sign_in) {
                (
                    Challenge::Bearer {
                        realm,
                        service,
                        scope,
                    },
                    _,
                ) => {
                    let issuer = Issuer {
                        realm,
                        service,
                        scope,
                    };
                    let slot = self.slot(repository);
                    let mut known = slot.lock().await;
                    // Another request may have bought one while this one waited.
                    if let Some(token) = known.as_ref()
                        && stale != Some(&AuthorizationHeader::Bearer(token.secret.clone()))
                    {
                        return Ok(Some(AuthorizationHeader::Bearer(token.secret.clone())));
                    }
                    let token = self
                        .buy(http, repository, issuer, sign_in.as_ref(), time)
                        .await?;
                    return Ok(Some(AuthorizationHeader::Bearer(
                        known.insert(token).secret.clone(),
                    )));
                }
                // Shown once and refused, a password is not shown again.
                (Challenge::Basic, Some(login)) if stale.is_none() => {
                    if let Some(encoded) = login.basic() {
                        self.want_basic(registry);
                        return Ok(Some(AuthorizationHeader::Basic(encoded)));
                    }
                }
                (Challenge::Basic, _) => {}
            }
        }
        Ok(None)
    }

    /// Replaces a refused login, unless another request has replaced it already.
    async fn renew(
        &self,
        repository: &Repository,
        stale: &Secret,
        known: &RegistryLogin,
    ) -> Result<Option<AuthorizationHeader>, AttemptError> {
        let fresh = if known.basic().as_ref() == Some(stale) {
            self.credentials.renewed(repository, known).await?
        } else {
            Some(known.clone())
        };
        let encoded = fresh.and_then(|login| login.basic());
        Ok(encoded.map(AuthorizationHeader::Basic))
    }

    async fn buy(
        &self,
        http: &Http,
        repository: &Repository,
        issuer: Issuer,
        sign_in: Option<&RegistryLogin>,
        time: Duration,
    ) -> Result<Token, AttemptError> {
        let bought = token::buy(http, repository, &issuer, sign_in, time).await?;
        self.credentials.events().mask(&bought.secret);
        Ok(Token {
            secret: bought.secret,
            until: Instant::now() + bought.lasts,
            issuer,
        })
    }

    fn slot(&self, repository: &Repository) -> Arc<Mutex<Option<Token>>> {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(tokens.entry(repository.clone()).or_default())
    }

    fn wants_basic(&self, registry: &str) -> bool {
        let basic = self.basic.lock().unwrap_or_else(PoisonError::into_inner);
        basic.contains(registry)
    }

    fn want_basic(&self, registry: &str) {
        let mut basic = self.basic.lock().unwrap_or_else(PoisonError::into_inner);
        basic.insert(registry.to_owned());
    }
}

/// Returns true if the status denies access.
pub(super) fn is_denial(status: StatusCode) -> bool {
    matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
}

/// Returns true if a refusal may be for want of a login, and does not say how to sign in.
pub(super) fn hides_challenge(answer: &Answer) -> bool {
    let may_be = is_denial(answer.status) || answer.status == StatusCode::NOT_FOUND;
    may_be && challenges(&answer.headers).is_empty()
}

/// Returns true if a request must be signed in, or signed in anew.
///
/// ECR answers 403, not 401, to a token that is too old, and not always in JSON.
pub(super) fn refuses_sign_in(answer: &Answer) -> bool {
    match answer.status {
        StatusCode::UNAUTHORIZED => true,
        StatusCode::FORBIDDEN => RegistryRefusal::of(answer).says_expired(),
        _ => false,
    }
}
