//! Who gets which password.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::sync::Mutex;

use crate::aws::{Authorization, Aws, AwsError};
use crate::event::Events;
use crate::reference::EcrHost;

/// A password that ends sooner than this is replaced: an engine gets it once for a whole image.
const MARGIN: Duration = Duration::from_mins(2);

/// What a source of passwords answers; nothing if it has none for the registry.
type Answer<'a> =
    Pin<Box<dyn Future<Output = Result<Option<Authorization>, AwsError>> + Send + 'a>>;

/// Something that knows passwords of registries.
pub(super) trait Source: Send + Sync {
    /// Fetches a new password for a registry's host.
    fn fetch<'a>(&'a self, registry: &'a str) -> Answer<'a>;
}

impl Source for Aws {
    fn fetch<'a>(&'a self, registry: &'a str) -> Answer<'a> {
        Box::pin(async move {
            // Only a host that matches one of ECR's forms as a whole is given a token.
            match EcrHost::parse(registry) {
                Some(host) => self.authorization(&host).await.map(Some),
                None => Ok(None),
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

/// The password of one registry; its lock makes those who ask at the same time wait for one answer.
#[derive(Default)]
struct Slot(Mutex<Option<Authorization>>);

impl Credentials {
    /// ECR's passwords, fetched through AWS; `events` hears of each before anybody can use it.
    #[must_use]
    pub fn new(aws: Aws, events: Events) -> Self {
        Self::from_source(aws, events)
    }

    pub(super) fn from_source(source: impl Source + 'static, events: Events) -> Self {
        Self(Arc::new(Inner {
            source: Box::new(source),
            events,
            known: Mutex::default(),
        }))
    }

    /// What signs in to a registry, given its host as in a reference; none if it is not ECR's.
    pub async fn authorization(&self, registry: &str) -> Result<Option<Authorization>, AwsError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        if known.as_ref().is_none_or(ends_soon) {
            *known = self.fetch(registry).await?;
        }
        Ok(known.clone())
    }

    /// What signs in to a registry now that it has refused `stale`.
    ///
    /// Of several who were refused, the first fetches and the others get what it fetched.
    pub async fn renewed(
        &self,
        registry: &str,
        stale: &Authorization,
    ) -> Result<Option<Authorization>, AwsError> {
        let slot = self.slot(registry).await;
        let mut known = slot.0.lock().await;
        if known.as_ref().is_none_or(|known| known == stale) {
            *known = self.fetch(registry).await?;
        }
        Ok(known.clone())
    }

    async fn slot(&self, registry: &str) -> Arc<Slot> {
        let mut known = self.0.known.lock().await;
        Arc::clone(known.entry(registry.to_owned()).or_default())
    }

    async fn fetch(&self, registry: &str) -> Result<Option<Authorization>, AwsError> {
        let authorization = self.0.source.fetch(registry).await?;
        if let Some(authorization) = &authorization {
            self.0.events.mask(&authorization.password);
            self.0.events.mask(&authorization.encoded);
        }
        Ok(authorization)
    }
}

fn ends_soon(authorization: &Authorization) -> bool {
    let end = authorization.end;
    end.is_some_and(|end| end < SystemTime::now() + MARGIN)
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").finish_non_exhaustive()
    }
}

#[cfg(test)]
pub(super) mod tests;
