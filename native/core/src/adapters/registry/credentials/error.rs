//! Failures to find or use a login to a registry.

use std::path::PathBuf;

use crate::adapters::http::connection::connection_hint;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// Failure to find or use a login to a registry.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignInError {
    /// The source of the login reported a problem of its own.
    #[error("{}", lines(.0))]
    Source(Box<Problem>),
    /// Docker's configuration cannot be read.
    #[error("Docker's configuration `{path}` cannot be used", path = path.display())]
    DockerConfig {
        /// The file.
        path: PathBuf,
        /// Flaw in it.
        source: Cause,
    },
    /// A credential helper did not do its work.
    #[error("the credential helper `{program}`, which Docker's configuration names, failed")]
    Helper {
        /// The program.
        program: String,
        /// Failure that happened.
        source: Cause,
    },
    /// The registry sends us to a place where no password is sent.
    #[error(
        "the registry asks to fetch a token at `{realm}`, and passwords are sent by HTTPS only"
    )]
    RealmRefused {
        /// Address that the registry named.
        realm: String,
    },
    /// The issuer of the registry's tokens gave none.
    #[error("`{realm}` gives no token{}", if *anonymous { " without a sign-in" } else { "" })]
    TokenRefused {
        /// The host that issues tokens.
        realm: String,
        /// The registry's host.
        registry: String,
        /// True if it was asked without user and password.
        anonymous: bool,
        /// The status of its answer.
        status: u16,
        /// Its message.
        source: Cause,
    },
    /// The issuer of the registry's tokens does not answer.
    #[error("`{realm}`, which issues the registry's tokens, does not answer")]
    IssuerNotReachable {
        /// The host that issues tokens.
        realm: String,
        /// True if TLS is the trouble.
        tls: bool,
        /// Failure that happened instead.
        source: Cause,
    },
    /// The token's issuer answered something that is not a token.
    #[error("the answer of `{realm}` holds no token")]
    TokenMissing {
        /// The host that issues tokens.
        realm: String,
    },
}

impl SignInError {
    /// Returns true if the registry may be accessed without the login: what is public needs none.
    pub(super) fn leaves_anonymous(&self) -> bool {
        matches!(self, Self::Helper { .. })
    }

    /// Returns true if the issuer of tokens refused one without a login.
    pub(in crate::adapters::registry) fn is_of_anonymous(&self) -> bool {
        matches!(
            self,
            Self::TokenRefused {
                anonymous: true,
                ..
            }
        )
    }
}

impl From<Problem> for SignInError {
    fn from(problem: Problem) -> Self {
        Self::Source(Box::new(problem))
    }
}

/// A problem in one text, from which the causes are read line by line again.
fn lines(problem: &Problem) -> String {
    let mut lines = vec![problem.what.as_str()];
    lines.extend(problem.why.iter().map(String::as_str));
    lines.join("\n")
}

impl Explain for SignInError {
    fn code(&self) -> Code {
        match self {
            Self::Source(problem) => problem.code,
            Self::DockerConfig { .. } => Code::RegistryDockerConfigInvalid,
            Self::Helper { .. } => Code::RegistryCredentialHelperFailed,
            Self::RealmRefused { .. } | Self::TokenMissing { .. } => Code::RegistryAnswerInvalid,
            Self::IssuerNotReachable { .. } => Code::RegistryNotReachable,
            Self::TokenRefused { status, .. } => match status {
                400 | 401 | 403 | 404 => Code::RegistryDenied,
                _ => Code::RegistryRequestFailed,
            },
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Source(problem) => problem.hint.clone(),
            Self::DockerConfig { path, .. } => Some(format!(
                "Correct or remove `{}`, or set `DOCKER_CONFIG` to another folder",
                path.display()
            )),
            Self::Helper { program, .. } => Some(format!(
                "Have the agent's administrator install and set up `{program}`, or sign in by the task Docker@2 (`command: login`), which needs no helper"
            )),
            Self::RealmRefused { .. } | Self::TokenMissing { .. } => None,
            Self::IssuerNotReachable { realm, tls, .. } => Some(connection_hint(realm, *tls)),
            Self::TokenRefused {
                registry,
                anonymous,
                ..
            } => Some(sign_in_hint(registry, *anonymous)),
        }
    }
}

/// Advice on getting in to a registry that is not ECR's.
pub fn sign_in_hint(registry: &str, anonymous: bool) -> String {
    if anonymous {
        format!(
            "Sign in to `{registry}` before this step, for instance by the task Docker@2 with `command: login`; check the image's name as well, for a registry denies what does not exist"
        )
    } else {
        format!(
            "Check the user and password for `{registry}` in the agent's Docker configuration, and that they may pull this image"
        )
    }
}
