//! The logins of a run, fetched once each.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;

use super::error::SignInError;
use crate::domain::registry_login::RegistryLogin;
use crate::report::event::Events;

/// A password that ends sooner than this is replaced: an engine gets it once for a whole image.
const MARGIN: Duration = Duration::from_mins(2);

/// The answer of a source of logins; none if it has no login for the registry.
pub type LoginFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<RegistryLogin>, SignInError>> + Send + 'a>>;

/// A source of logins to registries.
pub trait LoginSource: Send + Sync {
    /// Fetches a new login for a registry's host.
    fn fetch<'a>(&'a self, registry: &'a str) -> LoginFuture<'a>;
}

/// The logins of one run, each fetched once; cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    source: Box<dyn LoginSource>,
    events: Events,
    known: Mutex<HashMap<String, Arc<Slot>>>,
}

/// Knowledge about one registry; its lock makes those who ask at the same time wait for one
/// answer.
#[derive(Default)]
struct Slot(Mutex<Known>);

#[derive(Default)]
enum Known {
    #[default]
    NotAsked,
    /// Answer of the source, which may be that it has nothing.
    Asked(Option<RegistryLogin>),
    /// Failure of the source, which every image of the registry would meet again.
    Failed(SignInError),
}

impl Credentials {
    /// Takes the source of the logins. `events` receives each login's secrets before the login is returned.
    #[must_use]
    pub fn new(source: impl LoginSource + 'static, events: Events) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            events,
            known: Mutex::default(),
        }))
    }

    /// Sign-in to a registry, given its host as in a reference; none leaves it at what
    /// anyone may do.
    pub async fn login(&self, registry: &str) -> Result<Option<RegistryLogin>, SignInError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(Some(login)) if ends_within(login, MARGIN) => {
                let known_login = login.clone();
                match self.ask(registry, &mut known).await {
                    // What is to replace it early does not take its place when it fails.
                    Err(_) if !ends_within(&known_login, Duration::ZERO) => Ok(Some(known_login)),
                    asked => asked,
                }
            }
            Known::Asked(login) => Ok(login.clone()),
            Known::Failed(error) => Err(error.clone()),
            Known::NotAsked => self.ask(registry, &mut known).await,
        }
    }

    /// Sign-in to a registry now that it has refused `stale`.
    ///
    /// Of several who were refused, the first fetches and the others get what it fetched.
    pub async fn renewed(
        &self,
        registry: &str,
        stale: &RegistryLogin,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(login) if login.as_ref() != Some(stale) => Ok(login.clone()),
            Known::Failed(error) => Err(error.clone()),
            Known::Asked(_) | Known::NotAsked => self.ask(registry, &mut known).await,
        }
    }

    /// Sets the login of a registry.
    pub async fn give(&self, registry: &str, login: RegistryLogin) {
        self.mask(&login);
        let slot = self.slot(registry).await;
        *slot.0.lock().await = Known::Asked(Some(login));
    }

    /// Has a registry taken for one that lets anyone in, so that nobody is asked for a password.
    pub async fn need_none(&self, registry: &str) {
        let slot = self.slot(registry).await;
        *slot.0.lock().await = Known::Asked(None);
    }

    /// Events, which are told of secrets before these are used.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    async fn slot(&self, registry: &str) -> Arc<Slot> {
        let mut known = self.0.known.lock().await;
        Arc::clone(known.entry(registry.to_owned()).or_default())
    }

    /// Asks the source and keeps its answer. A failure is kept where no login is known: the source has tried again by
    /// itself.
    async fn ask(
        &self,
        registry: &str,
        known: &mut Known,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let fetched = self.0.source.fetch(registry).await;
        let login = fetched.inspect_err(|error| {
            if matches!(known, Known::NotAsked) {
                *known = Known::Failed(error.clone());
            }
        })?;
        if let Some(login) = &login {
            self.mask(login);
        }
        *known = Known::Asked(login.clone());
        Ok(login)
    }

    fn mask(&self, login: &RegistryLogin) {
        self.0.events.mask(&login.password);
        if let Some(encoded) = login.basic() {
            self.0.events.mask(&encoded);
        }
    }
}

fn ends_within(login: &RegistryLogin, margin: Duration) -> bool {
    let Some(ends) = login.ends else {
        return false;
    };
    // A clock before 1970 makes every login look good; the registry refuses one that is not.
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.is_ok_and(|now| ends < now + margin)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}
