use reqwest::header::HeaderValue;

use crate::report::secret::Secret;

/// Authorization that a request carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum AuthorizationHeader {
    /// `user:password` in base64.
    Basic(Secret),
    /// A token.
    Bearer(Secret),
}

impl AuthorizationHeader {
    /// The value of the header `Authorization`.
    pub(super) fn header(&self) -> Option<HeaderValue> {
        let text = match self {
            Self::Basic(encoded) => format!("Basic {}", encoded.reveal()),
            Self::Bearer(token) => format!("Bearer {}", token.reveal()),
        };
        let mut value = HeaderValue::from_str(&text).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}
