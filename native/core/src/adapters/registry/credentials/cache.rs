//! The logins of a run, fetched once each.

use std::collections::{HashMap, HashSet};
use std::error::Error as _;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::Mutex;

use super::error::SignInError;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::report::event::{Event, Events};
use crate::report::problem::Explain as _;

/// A password that ends sooner than this is replaced: an engine gets it once for a whole image.
const MARGIN: Duration = Duration::from_mins(2);

/// The answer of a source of logins; none if it has no login for the registry.
pub type LoginFuture<'a> =
    Pin<Box<dyn Future<Output = Result<Option<RegistryLogin>, SignInError>> + Send + 'a>>;

/// A source of logins to registries.
pub trait LoginSource: Send + Sync {
    /// Fetches a new login for a repository.
    fn fetch<'a>(&'a self, repository: &'a Repository) -> LoginFuture<'a>;

    /// Name of all that one login serves: the registry's host, or the repository where each may have its own.
    fn scope(&self, repository: &Repository) -> String {
        repository.registry.clone()
    }
}

/// The logins of one run, each fetched once; cheap to clone.
#[derive(Clone)]
pub struct Credentials(Arc<Inner>);

struct Inner {
    source: Box<dyn LoginSource>,
    events: Events,
    /// By the registry's host, or by what the source calls the scope of a login.
    known: Mutex<HashMap<String, Arc<Slot>>>,
    /// Registries whose missing login was warned of.
    warned: StdMutex<HashSet<String>>,
}

/// Knowledge about one registry or repository; its lock makes those who ask at the same time wait for one
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
    /// Reason that the login is missing, without which the registry is accessed.
    Missing(SignInError),
}

impl Credentials {
    /// Takes the source of the logins. `events` receives each login's secrets before the login is returned.
    #[must_use]
    pub fn new(source: impl LoginSource + 'static, events: Events) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            events,
            known: Mutex::default(),
            warned: StdMutex::default(),
        }))
    }

    /// Returns the login for a repository; none if the source has no login for it.
    pub async fn login(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let slot = self.slot(repository).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(Some(login)) if ends_within(login, MARGIN) => {
                let last = login.clone();
                let asked = self.ask(repository, &mut known).await;
                if asked.is_err() && !ends_within(&last, Duration::ZERO) {
                    *known = Known::Last(last.clone());
                    return Ok(Some(last));
                }
                asked
            }
            Known::Asked(login) => Ok(login.clone()),
            Known::Last(login) if !ends_within(login, Duration::ZERO) => Ok(Some(login.clone())),
            Known::Failed(error) => Err(error.clone()),
            Known::Missing(_) => Ok(None),
            Known::Last(_) | Known::NotAsked => self.ask(repository, &mut known).await,
        }
    }

    /// Returns the reason that a repository is accessed without the login that it should have.
    pub async fn missing(&self, repository: &Repository) -> Option<SignInError> {
        match &*self.slot(repository).await.0.lock().await {
            Known::Missing(error) => Some(error.clone()),
            Known::NotAsked | Known::Asked(_) | Known::Last(_) | Known::Failed(_) => None,
        }
    }

    /// Returns the login to a registry that has refused `stale`.
    ///
    /// Of several who were refused, the first fetches and the others get what it fetched.
    pub async fn renewed(
        &self,
        repository: &Repository,
        stale: &RegistryLogin,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let slot = self.slot(repository).await;
        let mut known = slot.0.lock().await;
        match &*known {
            Known::Asked(login) if login.as_ref() != Some(stale) => Ok(login.clone()),
            Known::Last(login) if login != stale => Ok(Some(login.clone())),
            Known::Failed(error) => Err(error.clone()),
            Known::Missing(_) => Ok(None),
            Known::Asked(_) | Known::Last(_) | Known::NotAsked => {
                self.ask(repository, &mut known).await
            }
        }
    }

    /// Sets the login of a registry.
    pub async fn give(&self, registry: &str, login: RegistryLogin) {
        self.mask(&login);
        let slot = self.slot_of_registry(registry).await;
        *slot.0.lock().await = Known::Asked(Some(login));
    }

    /// Marks a registry as one that lets anyone in, so that the source is not asked for a login.
    pub async fn need_none(&self, registry: &str) {
        let slot = self.slot_of_registry(registry).await;
        *slot.0.lock().await = Known::Asked(None);
    }

    /// The receiver of events, which hears of every secret before it is used.
    pub fn events(&self) -> &Events {
        &self.0.events
    }

    /// The slot of the whole registry, if it has one, or else that of the login's scope.
    async fn slot(&self, repository: &Repository) -> Arc<Slot> {
        let mut known = self.0.known.lock().await;
        if let Some(slot) = known.get(&repository.registry) {
            return Arc::clone(slot);
        }
        let scope = self.0.source.scope(repository);
        Arc::clone(known.entry(scope).or_default())
    }

    async fn slot_of_registry(&self, registry: &str) -> Arc<Slot> {
        let mut known = self.0.known.lock().await;
        Arc::clone(known.entry(registry.to_owned()).or_default())
    }

    /// Asks the source and keeps its answer, a failure too: the source has tried again by itself.
    async fn ask(
        &self,
        repository: &Repository,
        known: &mut Known,
    ) -> Result<Option<RegistryLogin>, SignInError> {
        let login = match self.0.source.fetch(repository).await {
            Ok(login) => login,
            Err(error) if error.leaves_anonymous() => {
                self.warn(&repository.registry, &error);
                *known = Known::Missing(error);
                return Ok(None);
            }
            Err(error) => {
                *known = Known::Failed(error.clone());
                return Err(error);
            }
        };
        if let Some(login) = &login {
            self.mask(login);
        }
        *known = Known::Asked(login.clone());
        Ok(login)
    }

    /// Warns once of a registry whose login is missing.
    fn warn(&self, registry: &str, error: &SignInError) {
        let mut warned = self.0.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if !warned.insert(registry.to_owned()) {
            return;
        }
        let cause = error.source().map(|source| format!(": {source}"));
        let message = format!(
            "`{registry}` is accessed without a login; {error}{}",
            cause.unwrap_or_default()
        );
        self.0.events.send(Event::Warning {
            code: error.code(),
            message,
            hint: error.hint(),
        });
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
