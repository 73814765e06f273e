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
    /// A login that could not be replaced early, and that is used to its end.
    Last(RegistryLogin),
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

    /// Returns the login to a registry, given its host as in a reference; none if the source has no login for it.
    pub async fn login(&self, registry: &str) -> Result<Option<RegistryLogin>, SignInError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(Some(login)) if ends_within(login, MARGIN) => {
                let last = login.clone();
                let asked = self.ask(registry, &mut known).await;
                if asked.is_err() && !ends_within(&last, Duration::ZERO) {
                    *known = Known::Last(last.clone());
                    return Ok(Some(last));
                }
                asked
            }
            Known::Asked(login) => Ok(login.clone()),
            Known::Last(login) if !ends_within(login, Duration::ZERO) => Ok(Some(login.clone())),
            Known::Failed(error) => Err(error.clone()),
            Known::Last(_) | Known::NotAsked => self.ask(registry, &mut known).await,
        }
    }

    /// Returns the login to a registry that has refused `stale`.
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
            Known::Last(login) if login != stale => Ok(Some(login.clone())),
            Known::Failed(error) => Err(error.clone()),
            Known::Asked(_) | Known::Last(_) | Known::NotAsked => {
                self.ask(registry, &mut known).await
            }
        }
    }

    /// Sets the login of a registry.
    pub async fn give(&self, registry: &str, login: RegistryLogin) {
        self.mask(&login);
        let slot = self.slot(registry).await;
        *slot.0.lock().await = Known::Asked(Some(login));
    }

    /// Marks a registry as one that lets anyone in, so that the source is not asked for a login.
    pub async fn need_none(&self, registry: &str) {
        let slot = self.slot(registry).await;
        *slot.0.lock().await = Known::Asked(None);
    }

    /// The receiver of events, which hears of every secret before it is used.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    async fn slot(&self, registry: &str) -> Arc<Slot> {
        let mut known = self.0.known.lock().await;
        Arc::clone(known.entry(registry.to_owned()).or_default())
    }

    /// Asks the source and keeps its answer, a failure too: the source has tried again by itself.
    async fn ask(
        &self,
        registry: &str,
        known: &mut Known,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let fetched = self.0.source.fetch(registry).await;
        let login = fetched.inspect_err(|error| *known = Known::Failed(error.clone()))?;
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
