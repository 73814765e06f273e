use url::Url;

use super::region::Region;
use crate::report::secret::Secret;

/// The access to CrowdStrike's API and registry.
#[derive(Clone, Debug)]
pub struct FalconApiSettings {
    /// The API client.
    pub client_id: String,
    /// Its secret.
    pub client_secret: Secret,
    /// The cloud; none finds it.
    pub region: Option<Region>,
    /// Another address than the cloud's API.
    pub api_url: Option<Url>,
    /// Another host than the cloud's registry.
    pub registry: Option<String>,
}
