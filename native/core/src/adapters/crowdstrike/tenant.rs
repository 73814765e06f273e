//! Questions to CrowdStrike in one run: each is asked once, whatever comes of it.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::api::FalconApi;
use super::session::Session;
use crate::domain::falcon::api_settings::FalconApiSettings;
use crate::domain::falcon::customer_id::CustomerId;
use crate::domain::falcon::region::Region;
use crate::domain::registry_login::RegistryLogin;
use crate::report::event::Events;
use crate::report::problem::Problem;

/// The tenant that the API client belongs to.
///
/// A failure is kept like an answer: asking again would be one more sign-in that is refused.
pub struct Tenant {
    settings: Option<FalconApiSettings>,
    events: Events,
    session: OnceCell<Result<Session, Problem>>,
    customer_id: OnceCell<Result<CustomerId, Problem>>,
    registry: OnceCell<Result<FalconRegistry, Problem>>,
}

/// CrowdStrike's registry and the login to it.
#[derive(Clone, Debug)]
pub struct FalconRegistry {
    /// Its host.
    pub host: String,
    /// The tenant's cloud, after which one of the sensor's repositories is named.
    pub region: Region,
    /// The tenant's login.
    pub login: RegistryLogin,
}

impl Tenant {
    /// Nothing is asked yet, and without settings nothing can be.
    #[must_use]
    pub fn new(settings: Option<FalconApiSettings>, events: Events) -> Self {
        Self {
            settings,
            events,
            session: OnceCell::new(),
            customer_id: OnceCell::new(),
            registry: OnceCell::new(),
        }
    }

    /// The customer ID with its checksum.
    pub async fn customer_id(&self) -> Result<CustomerId, Problem> {
        let ask = || async { Ok(self.session().await?.customer_id().await?) };
        self.customer_id.get_or_init(ask).await.clone()
    }

    /// The customer ID, if it was asked for.
    #[must_use]
    pub fn known_customer_id(&self) -> Option<&CustomerId> {
        self.customer_id.get()?.as_ref().ok()
    }

    /// The registry with the tenant's login.
    pub async fn registry(&self) -> Result<FalconRegistry, Problem> {
        let ask = || async {
            let id = self.customer_id().await?;
            let session = self.session().await?;
            Ok(FalconRegistry {
                login: session.registry_login(&id).await?,
                host: session.registry(),
                region: session.region,
            })
        };
        self.registry.get_or_init(ask).await.clone()
    }

    async fn session(&self) -> Result<&Session, Problem> {
        let sign_in = || async {
            let Some(settings) = self.settings.clone() else {
                unreachable!("the configuration demands an API client where one is needed")
            };
            let api = Arc::new(FalconApi::new(settings, self.events.clone())?);
            Ok(Session::open(api).await?)
        };
        let session = self.session.get_or_init(sign_in).await;
        session.as_ref().map_err(Clone::clone)
    }
}
