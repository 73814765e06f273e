use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE;

use crate::report::secret::Secret;

/// A sign-in to a registry that the engine uses for one request and does not keep.
#[derive(Clone, Debug)]
pub struct RegistryAuth {
    /// The user, `AWS` for ECR; none if the password is an identity token.
    pub username: Option<String>,
    /// The password or token.
    pub password: Secret,
    /// The registry's host.
    pub registry: String,
}

impl RegistryAuth {
    /// The value of the header `X-Registry-Auth`: JSON in URL-safe base64
    /// (<https://docs.docker.com/reference/api/engine/#section/Authentication>).
    pub(super) fn header(&self) -> String {
        let json = match &self.username {
            None => serde_json::json!({
                "identitytoken": self.password.reveal(),
                "serveraddress": self.registry,
            }),
            Some(username) => serde_json::json!({
                "username": username,
                "password": self.password.reveal(),
                "serveraddress": self.registry,
            }),
        };
        URL_SAFE.encode(json.to_string())
    }
}
