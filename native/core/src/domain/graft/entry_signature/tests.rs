use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde_json::{Value, json};

use super::{SignedEntry, signer_of};
use crate::domain::agent::Origin;
use crate::domain::provenance::bundle;
use crate::domain::provenance::key::{PublicKey, TrustedKey};
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The start of the DER of every P-256 key.
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// A key pair, and its public part as one that is trusted.
struct Key {
    pair: EcdsaKeyPair,
    trusted: TrustedKey,
}

impl Key {
    fn new(name: &str) -> Self {
        let random = SystemRandom::new();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).expect("a key");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).expect("a key");
        let der = [&PREFIX, pair.public_key().as_ref()].concat();
        let trusted = TrustedKey {
            name: name.to_owned(),
            key: PublicKey::from_der(&der).expect("a key"),
        };
        Self { pair, trusted }
    }

    fn bundle(&self, statement: &Value) -> Vec<u8> {
        let payload = statement.to_string().into_bytes();
        let message = bundle::signed_bytes(&payload);
        let signature = self.pair.sign(&SystemRandom::new(), &message);
        let signature = signature.expect("a signature");
        bundle::compose(&payload, signature.as_ref(), &self.trusted.key)
    }
}

fn statement(entry: &Digest) -> Value {
    let origin = Origin::default();
    let signed = SignedEntry {
        repository: &Repository::new("registry.example", "app/web"),
        entry,
        sensor: &Digest::of(b"sensor"),
        origin: &origin,
        finished: "2026-01-01T00:00:00Z",
    };
    signed.statement()
}

#[test]
fn a_trusted_key_signs_for_one_entry() {
    let (ours, other) = (Key::new("alias/ours"), Key::new("alias/other"));
    let entry = Digest::of(b"entry");
    let keys = [ours.trusted.clone()];
    let bundle = ours.bundle(&statement(&entry));
    assert_eq!(signer_of(&bundle, &entry, &keys), Ok(Some("alias/ours")));
    // Replayed beside another entry, signed by another key, altered, or cut off.
    assert!(signer_of(&bundle, &Digest::of(b"other"), &keys).is_err());
    assert!(signer_of(&other.bundle(&statement(&entry)), &entry, &keys).is_err());
    assert!(signer_of(&bundle[..bundle.len() / 2], &entry, &keys).is_err());
    let mut two = statement(&entry);
    let second = json!({"name": "b", "digest": {"sha256": "0".repeat(64)}});
    two["subject"].as_array_mut().expect("a list").push(second);
    assert!(signer_of(&ours.bundle(&two), &entry, &keys).is_err());
}

#[test]
fn the_statement_of_an_entry_and_the_record_of_an_image_are_not_taken_for_each_other() {
    let ours = Key::new("alias/ours");
    let entry = Digest::of(b"entry");
    let keys = [ours.trusted.clone()];
    let bundle = ours.bundle(&statement(&entry));
    let record = Record::signed(&bundle, &Digest::of(b"artifact"), &entry, &keys);
    assert_eq!(record, Ok(None));
    let mut patch = statement(&entry);
    patch["predicate"]["buildDefinition"]["buildType"] = json!("urn:falcon-arm64-patch:patch:v1");
    assert_eq!(signer_of(&ours.bundle(&patch), &entry, &keys), Ok(None));
    let mut release = statement(&entry);
    release["predicateType"] = json!("https://sigstore.dev/cosign/sign/v1");
    assert_eq!(signer_of(&ours.bundle(&release), &entry, &keys), Ok(None));
}
