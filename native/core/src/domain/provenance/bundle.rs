//! Sigstore bundles: a signed statement as one JSON file
//! (<https://docs.sigstore.dev/about/bundle/>, <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>).

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::json;

use super::key::{PublicKey, TrustedKey};
use super::record::STATEMENT_TYPE;
use crate::report::cause::Cause;

/// The media type of bundles, which is the type of their artifacts too; the one that cosign 3 writes.
pub const BUNDLE_TYPE: &str = "application/vnd.dev.sigstore.bundle.v0.3+json";

/// Bytes that a bundle may have; real ones have 2 to 3 KiB.
pub const BUNDLE_LIMIT: u64 = 64 * 1024;

/// The fields of a bundle that are read, those of other kinds of bundles, and those that prove nothing here.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Option<Envelope>,
    message_signature: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Material {
    public_key: Option<KeyHint>,
    certificate: Option<IgnoredAny>,
    #[serde(rename = "x509CertificateChain")]
    chain: Option<IgnoredAny>,
    #[serde(rename = "tlogEntries")]
    _log_entries: Option<IgnoredAny>,
    #[serde(rename = "timestampVerificationData")]
    _timestamps: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct KeyHint {
    hint: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<Signature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    sig: String,
    #[serde(rename = "keyid")]
    _key_id: Option<IgnoredAny>,
}

/// The reason why a bundle proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// It is too large to be one of ours.
    #[error("it has {0} bytes, and at most {BUNDLE_LIMIT} are read")]
    TooLarge(u64),
    /// It has another form.
    #[error("it is not a bundle of a signed statement: {0}")]
    Form(Cause),
    /// It is signed in another way, as by a person with a certificate.
    #[error("it is not signed by a key, but in another way")]
    OtherKind,
    /// Its statement proves nothing about the image.
    #[error("{0}")]
    Statement(Cause),
    /// No trusted key has signed it.
    #[error("no trusted key has signed it")]
    OtherKey,
    /// It names a trusted key, which has not signed it.
    #[error("it names the key {0} as its signer, and the signature is not of that key")]
    Forged(String),
}

/// A bundle whose signature was found to be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'a, P> {
    /// The signed statement.
    pub payload: P,
    /// The key that has signed it.
    pub key: &'a TrustedKey,
}

/// Reads a bundle and checks its signature; nothing of the statement was looked at before.
///
/// # Errors
/// The reason why it proves nothing.
pub fn open<'a>(bytes: &[u8], keys: &'a [TrustedKey]) -> Result<Signed<'a, Vec<u8>>, BundleError> {
    let Parsed {
        payload,
        signature,
        hint,
    } = Parsed::read(bytes)?;
    let message = signed_bytes(&payload);
    if let Some(key) = keys
        .iter()
        .find(|key| key.key.verifies(&message, &signature))
    {
        return Ok(Signed { payload, key });
    }
    let named = keys.iter().find(|key| hint == Some(key.key.hint()));
    Err(match named {
        Some(key) => BundleError::Forged(key.name.clone()),
        None => BundleError::OtherKey,
    })
}

/// Reads the statement of a bundle without a look at its signature: it is only a claim.
///
/// # Errors
/// The reason why it is not a bundle of a signed statement.
pub fn unproven_statement(bytes: &[u8]) -> Result<Vec<u8>, BundleError> {
    Ok(Parsed::read(bytes)?.payload)
}

/// The parts of a bundle that a key has signed, or is said to have.
struct Parsed {
    payload: Vec<u8>,
    signature: Vec<u8>,
    hint: Option<String>,
}

impl Parsed {
    fn read(bytes: &[u8]) -> Result<Self, BundleError> {
        let size = bytes.len() as u64;
        if size > BUNDLE_LIMIT {
            return Err(BundleError::TooLarge(size));
        }
        let form = |why: &str| BundleError::Form(Cause::said(why));
        let bundle: Bundle =
            serde_json::from_slice(bytes).map_err(|error| form(&error.to_string()))?;
        if bundle.media_type != BUNDLE_TYPE {
            return Err(form("it has another media type"));
        }
        let material = bundle.verification_material;
        if material.certificate.is_some()
            || material.chain.is_some()
            || bundle.message_signature.is_some()
        {
            return Err(BundleError::OtherKind);
        }
        let Some(envelope) = bundle.dsse_envelope else {
            return Err(form("it has no statement"));
        };
        if envelope.payload_type != STATEMENT_TYPE {
            return Err(form("its payload has another type"));
        }
        let [signature] = envelope.signatures.as_slice() else {
            return Err(form("it has not exactly one signature"));
        };
        let Some(named) = material.public_key else {
            return Err(form("it names no public key"));
        };
        let decode = |text: &str| BASE64_STANDARD.decode(text);
        Ok(Self {
            payload: decode(&envelope.payload).map_err(|_| form("its payload is not Base64"))?,
            signature: decode(&signature.sig).map_err(|_| form("its signature is not Base64"))?,
            hint: named.hint,
        })
    }
}

/// The bytes that are signed for a statement: DSSE's pre-authentication encoding.
#[must_use]
pub fn signed_bytes(payload: &[u8]) -> Vec<u8> {
    let (kind, size) = (STATEMENT_TYPE, payload.len());
    let head = format!("DSSEv1 {} {kind} {size} ", kind.len());
    [head.as_bytes(), payload].concat()
}

/// Puts a statement and its signature into a bundle, as cosign writes it.
#[must_use]
pub fn compose(payload: &[u8], signature: &[u8], key: &PublicKey) -> Vec<u8> {
    let bundle = json!({
        "mediaType": BUNDLE_TYPE,
        "verificationMaterial": {"publicKey": {"hint": key.hint()}},
        "dsseEnvelope": {
            "payload": BASE64_STANDARD.encode(payload),
            "payloadType": STATEMENT_TYPE,
            // A key ID would make cosign refuse it.
            "signatures": [{"sig": BASE64_STANDARD.encode(signature)}],
        },
    });
    bundle.to_string().into_bytes()
}

/// The annotations that cosign gives the artifact of a bundle.
#[must_use]
pub fn annotations(predicate_type: &str) -> BTreeMap<String, String> {
    [
        ("dev.sigstore.bundle.content", "dsse-envelope"),
        ("dev.sigstore.bundle.predicateType", predicate_type),
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    use super::{compose, open, signed_bytes};
    use crate::domain::provenance::key::{PublicKey, TrustedKey};
    use crate::domain::reference::digest::Digest;

    /// A statement, a key and a signature that cosign 3.1.1 accepts.
    const PAYLOAD: &str = r#"{"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"app","digest":{"sha256":"6105d6cc76af400325e94d588ce511be5bfdbb73b437dc51eca43917d7a43e3d"}}],"predicateType":"https://slsa.dev/provenance/v1","predicate":{}}"#;

    const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdvRWTuzAePMPEEZU6tm+O0KPFzIviE4c3KpNgbKJyOoaUl8DzhPYSFIDL5Q8bmP6kDrmm5lRZdVV7yGKYtUaUA==";

    const SIGNATURE: &str = "MEYCIQCq0pvA016dAKyBo+PnjoTa1qAJGlBpe2EjC/PrknxT1QIhAPZ9AzY7aoJG0NH1QMgM59/R69FbaT+0P/Iu4++/J0Xy";

    #[test]
    fn a_known_signature_is_right_for_its_statement_alone() {
        let message = signed_bytes(PAYLOAD.as_bytes());
        assert_eq!(
            Digest::of(&message).as_str(),
            "sha256:baaad2b9e19aebd346dd1a556e22fdd4be70be6703f4fe6d61ba54dcd4e77b4a"
        );
        let decode = |text: &str| BASE64_STANDARD.decode(text).expect("Base64");
        let key = PublicKey::from_der(&decode(SPKI)).expect("a key");
        let bundle = compose(PAYLOAD.as_bytes(), &decode(SIGNATURE), &key);
        let keys = [TrustedKey {
            name: "alias/x".to_owned(),
            key: key.clone(),
        }];
        let opened = open(&bundle, &keys).expect("a good bundle");
        assert_eq!(opened.payload, PAYLOAD.as_bytes());
        assert_eq!(opened.key.name, "alias/x");
        let other = compose(b"{}", &decode(SIGNATURE), &key);
        assert!(open(&other, &keys).is_err());
        assert!(open(&bundle, &[]).is_err());
    }
}
