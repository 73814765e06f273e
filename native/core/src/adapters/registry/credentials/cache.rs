//! Who gets which password.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use tokio::sync::Mutex;

use super::docker_config::DockerConfig;
use super::error::SignInError;
use crate::adapters::aws::account::Aws;
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::registry_login::{Authorization, SignIn};
use crate::report::event::Events;
use crate::report::secret::Secret;

/// A password that ends sooner than this is replaced: an engine gets it once for a whole image.
const MARGIN: Duration = Duration::from_mins(2);

/// What a source of passwords answers; nothing if it has none for the registry.
pub type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Option<SignIn>, SignInError>> + Send + 'a>>;

/// Something that knows passwords of registries.
pub trait Source: Send + Sync {
    /// Fetches a new password for a registry's host.
    fn fetch<'a>(&'a self, registry: &'a str) -> Answer<'a>;
}

/// The agent's own: AWS for ECR, and for all others what Docker is signed in to.
struct OfAgent {
    aws: Aws,
    docker: DockerConfig,
}

impl Source for OfAgent {
    fn fetch<'a>(&'a self, registry: &'a str) -> Answer<'a> {
        Box::pin(async move {
            // Only a host that matches one of ECR's forms as a whole is given a token.
            match EcrHost::parse(registry) {
                Some(host) => Ok(Some(SignIn::Ecr(self.aws.authorization(&host).await?))),
                None => self.docker.sign_in(registry).await,
            }
        })
    }
}

/// The passwords of one run, each fetched once; cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    source: Box<dyn Source>,
    events: Events,
    known: Mutex<HashMap<String, Arc<Slot>>>,
}

/// What is known for one registry; its lock makes those who ask at the same time wait for one
/// answer.
#[derive(Default)]
struct Slot(Mutex<Known>);

#[derive(Default)]
enum Known {
    #[default]
    NotAsked,
    /// What the source answered, which may be that it has nothing.
    Asked(Option<SignIn>),
}

impl Credentials {
    /// ECR's passwords, fetched through AWS, and others from Docker's configuration; `events` hears
    /// of each before anybody can use it.
    #[must_use]
    pub fn new(aws: Aws, docker: DockerConfig, events: Events) -> Self {
        Self::from_source(OfAgent { aws, docker }, events)
    }

    pub fn from_source(source: impl Source + 'static, events: Events) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            events,
            known: Mutex::default(),
        }))
    }

    /// What signs in to a registry, given its host as in a reference; none leaves it at what
    /// anybody may do.
    pub async fn sign_in(&self, registry: &str) -> Result<Option<SignIn>, SignInError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(sign_in) if !sign_in.as_ref().is_some_and(ends_soon) => {
                Ok(sign_in.clone())
            }
            Known::Asked(_) | Known::NotAsked => self.ask(registry, &mut known).await,
        }
    }

    /// What signs in to a registry now that it has refused `stale`.
    ///
    /// Of several who were refused, the first fetches and the others get what it fetched.
    pub async fn renewed(
        &self,
        registry: &str,
        stale: &SignIn,
    ) -> Result<Option<SignIn>, SignInError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(sign_in) if sign_in.as_ref() != Some(stale) => Ok(sign_in.clone()),
            Known::Asked(_) | Known::NotAsked => self.ask(registry, &mut known).await,
        }
    }

    /// Has a registry signed in to by a password that came from elsewhere.
    pub async fn give(&self, registry: &str, authorization: Authorization) {
        let sign_in = SignIn::Password(authorization);
        self.mask(&sign_in);
        let slot = self.slot(registry).await;
        *slot.0.lock().await = Known::Asked(Some(sign_in));
    }

    /// Has a registry taken for one that lets anybody in, so that nobody is asked for a password.
    pub async fn need_none(&self, registry: &str) {
        let slot = self.slot(registry).await;
        *slot.0.lock().await = Known::Asked(None);
    }

    /// Where secrets are told before they are used.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    async fn slot(&self, registry: &str) -> Arc<Slot> {
        let mut known = self.0.known.lock().await;
        Arc::clone(known.entry(registry.to_owned()).or_default())
    }

    /// Asks the source and keeps its answer; a failure is not kept.
    async fn ask(&self, registry: &str, known: &mut Known) -> Result<Option<SignIn>, SignInError> {
        let sign_in = self.0.source.fetch(registry).await?;
        if let Some(sign_in) = &sign_in {
            self.mask(sign_in);
        }
        *known = Known::Asked(sign_in.clone());
        Ok(sign_in)
    }

    fn mask(&self, sign_in: &SignIn) {
        match sign_in {
            SignIn::Ecr(authorization) | SignIn::Password(authorization) => {
                self.0.events.mask(&authorization.password);
                self.0.events.mask(&authorization.encoded);
            }
            SignIn::IdentityToken(token) => self.0.events.mask(token),
        }
    }
}

impl Authorization {
    /// A user and a password that were not handed out as one text.
    #[must_use]
    pub fn of(username: impl Into<String>, password: Secret) -> Self {
        let username = username.into();
        let pair = format!("{username}:{}", password.reveal());
        Self {
            encoded: Secret::new(base64::engine::general_purpose::STANDARD.encode(pair)),
            username,
            password,
            end: None,
        }
    }
}

fn ends_soon(sign_in: &SignIn) -> bool {
    let end = match sign_in {
        SignIn::Ecr(authorization) | SignIn::Password(authorization) => authorization.end,
        SignIn::IdentityToken(_) => None,
    };
    end.is_some_and(|end| end < SystemTime::now() + MARGIN)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
