use std::time::SystemTime;

use base64::Engine as _;

use crate::report::secret::Secret;

/// What signs in to a registry, by HTTP's basic scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorization {
    /// The user; `AWS` for ECR.
    pub username: String,
    /// The password; ECR's is good for twelve hours.
    pub password: Secret,
    /// `user:password` in base64, as the header carries it.
    pub encoded: Secret,
    /// When it ends, as far as known.
    pub end: Option<SystemTime>,
}

impl Authorization {
    /// Takes apart what ECR hands out: `user:password` in base64.
    pub fn decode(encoded: String) -> Option<Self> {
        let bytes = base64::engine::general_purpose::STANDARD
            .decode(&encoded)
            .ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (username, password) = text.split_once(':')?;
        Some(Self {
            username: username.to_owned(),
            password: Secret::new(password),
            encoded: Secret::new(encoded),
            end: None,
        })
    }
}

/// What signs in to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignIn {
    /// ECR's password, which goes with each request.
    Ecr(Authorization),
    /// A user with a password; they are sent to a registry only when it asks for them.
    Password(Authorization),
    /// What some registries give instead of a password when one signs in; it buys tokens
    /// (<https://distribution.github.io/distribution/spec/auth/oauth/>).
    IdentityToken(Secret),
}
