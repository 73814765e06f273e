//! Keys that sign in tests.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{KeyPair, PublicKeyData as _, SigningKey as _};
use serde_json::json;

use crate::domain::provenance::bundle::{BUNDLE_TYPE, signed_bytes};
use crate::domain::provenance::key::{PublicKey, TrustedKey};

/// A P-256 key with its private part.
pub struct TestKey {
    pair: KeyPair,
    der: Vec<u8>,
}

impl TestKey {
    /// A new key.
    pub fn new() -> Self {
        let pair = KeyPair::generate().expect("a key");
        Self {
            der: pair.subject_public_key_info(),
            pair,
        }
    }

    /// The DER of its public part.
    pub fn der(&self) -> &[u8] {
        &self.der
    }

    /// Its public part.
    pub fn public(&self) -> PublicKey {
        PublicKey::from_der(&self.der).expect("a P-256 key")
    }

    /// The key as one that is believed.
    pub fn trusted(&self, name: &str) -> TrustedKey {
        TrustedKey {
            name: name.to_owned(),
            key: self.public(),
        }
    }

    /// Signs a message.
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        self.pair.sign(message).expect("a signature")
    }

    /// A bundle of a statement, signed as it must be.
    pub fn bundle(&self, statement: &str) -> String {
        let signature = self.sign(&signed_bytes(statement.as_bytes()));
        json!({
            "mediaType": BUNDLE_TYPE,
            "verificationMaterial": {"publicKey": {"hint": self.public().hint()}},
            "dsseEnvelope": {
                "payload": BASE64_STANDARD.encode(statement),
                "payloadType": "application/vnd.in-toto+json",
                "signatures": [{"sig": BASE64_STANDARD.encode(signature)}],
            },
        })
        .to_string()
    }
}
