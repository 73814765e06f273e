//! The kinds of requests to CrowdStrike's API.

use reqwest::Method;

use crate::adapters::http::client::RequestKind;

/// Purpose of a request to the API; each has its cells in the table of faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(test, derive(strum::VariantArray))]
pub(super) enum FalconRequest {
    /// Signs in to a cloud.
    SignIn,
    /// Looks the customer ID up.
    CustomerId,
    /// Fetches the password of the registry.
    RegistryPassword,
}

impl RequestKind for FalconRequest {
    fn method(self) -> Method {
        match self {
            Self::SignIn => Method::POST,
            Self::CustomerId | Self::RegistryPassword => Method::GET,
        }
    }

    /// Each carries a secret, which is meant for this host alone.
    fn follows_redirects(self) -> bool {
        false
    }
}
