use std::time::Duration;

use super::credentials::error::SignInError;
use crate::adapters::http::client::{Answer, NoAnswer};
use crate::adapters::http::retry;
use crate::adapters::http::retry::AttemptFailure;

/// Reason that a request has no answer in the end.
#[derive(Debug)]
pub(super) enum Failed {
    /// We could not sign in.
    SignIn(SignInError),
    /// No answer came.
    NoAnswer(NoAnswer),
}

/// End of one try that was not the last word.
pub(super) enum AttemptError {
    Failed(Failed),
    /// The registry is in trouble or has too much to do.
    Busy(Answer),
    /// The issuer of the registry's tokens is.
    IssuerBusy {
        error: SignInError,
        retry_after: Option<Duration>,
    },
}

impl AttemptError {
    /// Returns the end of all tries: the answer of a registry that stays in trouble, or the failure.
    pub(super) fn end(self) -> Result<Answer, Failed> {
        match self {
            Self::Failed(failed) => Err(failed),
            Self::Busy(answer) => Ok(answer),
            Self::IssuerBusy { error, .. } => Err(Failed::SignIn(error)),
        }
    }
}

impl AttemptFailure for AttemptError {
    fn is_passing(&self) -> bool {
        match self {
            // The SDK has tried often enough, and a password that was refused stays wrong.
            Self::Failed(Failed::SignIn(_)) => false,
            Self::Failed(Failed::NoAnswer(no_answer)) => no_answer.is_passing(),
            Self::Busy(_) | Self::IssuerBusy { .. } => true,
        }
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Failed(_) => None,
            Self::Busy(answer) => retry::retry_after(&answer.headers),
            Self::IssuerBusy { retry_after, .. } => *retry_after,
        }
    }
}

impl From<SignInError> for AttemptError {
    fn from(error: SignInError) -> Self {
        Self::Failed(Failed::SignIn(error))
    }
}

impl From<NoAnswer> for AttemptError {
    fn from(no_answer: NoAnswer) -> Self {
        Self::Failed(Failed::NoAnswer(no_answer))
    }
}

impl From<reqwest::Error> for AttemptError {
    fn from(error: reqwest::Error) -> Self {
        NoAnswer::from(error).into()
    }
}
