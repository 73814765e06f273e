use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::report::secret::Secret;

/// A login to a registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RegistryLogin {
    /// The user; none if `password` is an identity token, which buys tokens and is not a password itself
    /// (<https://distribution.github.io/distribution/spec/auth/oauth/>).
    pub user: Option<String>,
    /// The password or the identity token.
    pub password: Secret,
    /// The requests that carry it.
    pub shown: Shown,
    /// True if a refused login can be replaced by a newer one.
    pub renewable: bool,
    /// The end of its life as time since the Unix epoch, as far as known.
    pub ends: Option<Duration>,
}

/// The requests that carry a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Every request to the registry, and no request to an issuer of tokens.
    Always,
    /// Only a request that the registry, or the issuer of its tokens, wants it in.
    WhenAsked,
}

impl RegistryLogin {
    /// A user and a password that are shown when the registry asks for them, and that stay the same.
    #[must_use]
    pub fn password(user: impl Into<String>, password: Secret) -> Self {
        Self {
            user: Some(user.into()),
            password,
            shown: Shown::WhenAsked,
            renewable: false,
            ends: None,
        }
    }

    /// An identity token.
    #[must_use]
    pub fn identity_token(token: Secret) -> Self {
        Self {
            user: None,
            password: token,
            shown: Shown::WhenAsked,
            renewable: false,
            ends: None,
        }
    }

    /// A login from `user:password` in base64 that goes with every request and can be renewed; none if the text is
    /// not in that form.
    #[must_use]
    pub fn decode(encoded: &str) -> Option<Self> {
        let bytes = STANDARD.decode(encoded).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, password) = text.split_once(':')?;
        Some(Self {
            user: Some(user.to_owned()),
            password: Secret::new(password),
            shown: Shown::Always,
            renewable: true,
            ends: None,
        })
    }

    /// `user:password` in base64, as HTTP's basic scheme carries it; none for an identity token.
    #[must_use]
    pub fn basic(&self) -> Option<Secret> {
        let user = self.user.as_ref()?;
        let pair = format!("{user}:{}", self.password.reveal());
        Some(Secret::new(STANDARD.encode(pair)))
    }
}
