//! Failures of requests to KMS.

use super::error::AwsError;
use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::provenance::key::KeyError;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// Reason that a key does not sign, or cannot be known.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KmsError {
    /// The name has no region, and neither has the sign-in.
    #[error("No region is known for the key `{key}`")]
    RegionMissing {
        /// The key.
        key: KmsKeyName,
    },
    /// KMS has no such key.
    #[error("KMS has no key `{key}`")]
    NotFound {
        /// The key.
        key: KmsKeyName,
        /// Message of KMS.
        source: Cause,
    },
    /// The key is there and may not be used now.
    #[error("The key `{key}` cannot be used now")]
    Unusable {
        /// The key.
        key: KmsKeyName,
        /// Message of KMS.
        source: Cause,
    },
    /// The key is for something else than signing.
    #[error("The key `{key}` cannot sign records")]
    Unsuitable {
        /// The key.
        key: KmsKeyName,
        /// Message of KMS.
        source: Cause,
    },
    /// The key signs in another way.
    #[error("The key `{key}` cannot sign records")]
    Kind {
        /// The key.
        key: KmsKeyName,
        /// Its kind.
        source: KeyError,
    },
    /// A signature that the public key does not verify.
    #[error("The signature that KMS returned is not of the key `{key}`")]
    SignatureInvalid {
        /// The key.
        key: KmsKeyName,
    },
    /// Anything that concerns all of AWS.
    #[error(transparent)]
    Aws(Box<AwsError>),
}

impl From<AwsError> for KmsError {
    fn from(error: AwsError) -> Self {
        Self::Aws(Box::new(error))
    }
}

impl Explain for KmsError {
    fn code(&self) -> Code {
        match self {
            Self::RegionMissing { .. } => Code::InputMissing,
            Self::NotFound { .. } => Code::AwsKmsKeyNotFound,
            Self::Unusable { .. } => Code::AwsKmsKeyUnusable,
            Self::Unsuitable { .. } | Self::Kind { .. } => Code::AwsKmsKeyUnsuitable,
            Self::SignatureInvalid { .. } => Code::AwsKmsSignatureInvalid,
            Self::Aws(error) => error.code(),
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::RegionMissing { .. } => "Set `awsRegion`, or name the key by its ARN, which holds its region".to_owned(),
            Self::NotFound { .. } => "Correct the key's name in `signingKey` or `trustedKeys`, and its region (`awsRegion`); a key of another account is named by its ARN or by the ARN of its alias".to_owned(),
            Self::Unusable { key, .. } => format!("Look at the state of the key: `aws kms describe-key --key-id {key}`; enable it with `aws kms enable-key`, or name another key in `signingKey` or `trustedKeys`"),
            Self::Unsuitable { .. } | Self::Kind { .. } => "Create a key for records alone: `aws kms create-key --key-spec ECC_NIST_P256 --key-usage SIGN_VERIFY`".to_owned(),
            Self::SignatureInvalid { .. } => "Remove an override of KMS's endpoint; if there is none, check that the public key in `trustedKeys` is the signing key's".to_owned(),
            Self::Aws(error) => return error.hint(),
        })
    }
}
