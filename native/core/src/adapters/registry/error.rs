//! Failures of requests to registries.

use super::credentials::error::{SignInError, sign_in_hint};
use crate::adapters::http::connection::connection_hint;
use crate::domain::aws::denial::{Denial, READ_IMAGE, allow};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Permissions that pushing takes beside the token; reading back takes the first and the last.
const WRITE: [&str; 7] = [
    "ecr:BatchGetImage",
    "ecr:BatchCheckLayerAvailability",
    "ecr:InitiateLayerUpload",
    "ecr:UploadLayerPart",
    "ecr:CompleteLayerUpload",
    "ecr:PutImage",
    "ecr:GetDownloadUrlForLayer",
];

/// Action that was to be done with an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// To read it.
    Read,
    /// To write it.
    Write,
}

impl Access {
    fn verb(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "push",
        }
    }
}

/// Reason that a registry did not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegistryError {
    /// No client could be made; the agent trusts no certificate authority.
    #[error("Cannot connect to registries: no trusted certificate authority was found")]
    NoTrust {
        /// Flaw in the store.
        source: Cause,
    },
    /// There is no password for the registry.
    #[error("Cannot sign in to `{registry}`: {source}")]
    SignIn {
        /// The registry's host.
        registry: String,
        /// The reason.
        source: Box<SignInError>,
    },
    /// The registry has no such repository.
    #[error("Cannot {} `{image}`: there is no repository `{}`", access.verb(), repository.name)]
    RepositoryNotFound {
        /// The image as a reference.
        image: String,
        /// Action that was to be done.
        access: Access,
        /// The repository.
        repository: Repository,
        /// Message of the registry.
        source: Cause,
    },
    /// The repository has no such image.
    #[error("There is no image `{image}`")]
    ImageNotFound {
        /// The image as a reference.
        image: String,
        /// The repository.
        repository: Repository,
        /// Message of the registry.
        source: Cause,
    },
    /// The tag names another image and must not be moved.
    #[error("Cannot push `{image}`: the tag names another image and is immutable")]
    TagImmutable {
        /// The image as a reference.
        image: String,
        /// Image that the tag names; unknown when it cannot be read.
        existing: Option<Digest>,
        /// Message of the registry.
        source: Cause,
    },
    /// The registry refuses the password, or IAM the access.
    #[error("The registry denied {} access to `{image}`", access.verb())]
    Denied {
        /// The image as a reference.
        image: String,
        /// Action that was to be done.
        access: Access,
        /// The repository.
        repository: Repository,
        /// The permission that is missing, if the registry tells.
        denial: Option<Box<Denial>>,
        /// Message of the registry.
        source: Cause,
    },
    /// No answer came.
    #[error("Cannot {} `{image}`: the registry does not answer", access.verb())]
    NotReachable {
        /// The image as a reference.
        image: String,
        /// Action that was to be done.
        access: Access,
        /// The registry's host.
        registry: String,
        /// True if TLS is the trouble.
        tls: bool,
        /// Failure that happened instead.
        source: Cause,
    },
    /// The answer is not what it must be.
    #[error("Cannot {} `{image}`: the registry's answer cannot be used", access.verb())]
    AnswerInvalid {
        /// The image as a reference.
        image: String,
        /// Action that was to be done.
        access: Access,
        /// Flaw in it.
        source: Cause,
    },
    /// A file that is to be pushed cannot be read.
    #[error("Cannot read `{file}`, which is to be pushed")]
    FileUnreadable {
        /// The file.
        file: String,
        /// The reason.
        source: Cause,
    },
    /// The registry answered with another error.
    #[error("Cannot {} `{image}`: the registry refuses the request", access.verb())]
    RequestFailed {
        /// The image as a reference.
        image: String,
        /// Action that was to be done.
        access: Access,
        /// Message of the registry.
        source: Cause,
    },
}

impl RegistryError {
    /// Returns true if it is certain that a request that writes has changed nothing: the registry has refused it, or was
    /// not asked. A refusal of the look at the result afterwards is not meant.
    #[must_use]
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::RepositoryNotFound { access, .. } | Self::Denied { access, .. } => {
                *access == Access::Write
            }
            Self::NoTrust { .. }
            | Self::ImageNotFound { .. }
            | Self::TagImmutable { .. }
            | Self::FileUnreadable { .. } => true,
            // A sign-in can fail between two tries, and a status of 5xx says nothing about what was done before.
            Self::SignIn { .. }
            | Self::NotReachable { .. }
            | Self::AnswerInvalid { .. }
            | Self::RequestFailed { .. } => false,
        }
    }
}

impl Explain for RegistryError {
    fn code(&self) -> Code {
        match self {
            Self::NoTrust { .. } | Self::NotReachable { .. } => Code::RegistryNotReachable,
            Self::SignIn { source, .. } => source.code(),
            Self::RepositoryNotFound { repository, .. } if repository.ecr().is_some() => {
                Code::EcrRepositoryNotFound
            }
            Self::RepositoryNotFound { .. } | Self::ImageNotFound { .. } => {
                Code::RegistryImageNotFound
            }
            Self::TagImmutable { .. } => Code::EcrTagImmutable,
            Self::Denied { .. } => Code::RegistryDenied,
            Self::AnswerInvalid { .. } => Code::RegistryAnswerInvalid,
            Self::FileUnreadable { .. } => Code::TaskFolderNotWritable,
            Self::RequestFailed { .. } => Code::RegistryRequestFailed,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoTrust { .. } => Some(
                "Install the agent's certificate authorities (package `ca-certificates`), or name a file that holds them in `SSL_CERT_FILE`".to_owned(),
            ),
            Self::SignIn { source, .. } => source.hint(),
            Self::RepositoryNotFound { repository, .. } => Some(repository.creation_hint()),
            Self::ImageNotFound { repository, .. } => Some(repository.listing_hint()),
            Self::TagImmutable { .. } => Some(
                "Set a tag that is not there yet, or except this one from the repository's immutability".to_owned(),
            ),
            Self::Denied { denial: Some(denial), .. } => Some(denial.hint()),
            Self::Denied { access, repository, denial: None, .. } => {
                Some(denied_hint(*access, repository))
            }
            Self::NotReachable { registry, tls, .. } => Some(connection_hint(registry, *tls)),
            Self::FileUnreadable { .. } => Some(
                "Let nothing else remove files from the agent's temporary folder while the job runs".to_owned(),
            ),
            Self::AnswerInvalid { .. } | Self::RequestFailed { .. } => None,
        }
    }
}

/// A refusal without a reason: show all that the access takes.
fn denied_hint(access: Access, repository: &Repository) -> String {
    let actions: &[&str] = match access {
        Access::Read => &READ_IMAGE,
        Access::Write => &WRITE,
    };
    let Some(host) = repository.ecr() else {
        return sign_in_hint(&repository.registry, false);
    };
    let resource = host.repository_arn(&repository.name);
    format!(
        "{}; in another account the repository's own policy has to allow it too",
        allow(actions, &resource)
    )
}
