use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::provenance::key::{PublicKey, Trust, TrustedKey};

/// The keys by which records are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFacts {
    /// The records that count.
    pub trust: Trust,
}

/// A key in KMS that signs, and may be used now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SigningKey {
    /// Its name, as the user gave it.
    pub name: KmsKeyName,
    /// Its public part.
    pub public: PublicKey,
}

impl SigningKey {
    /// The key as one whose signatures are believed.
    #[must_use]
    pub fn trusted(&self) -> TrustedKey {
        TrustedKey {
            name: self.name.to_string(),
            key: self.public.clone(),
        }
    }
}
