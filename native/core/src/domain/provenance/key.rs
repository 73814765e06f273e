//! Public keys that show who signed a record.
//!
//! Only P-256 counts: KMS signs with it, every version of cosign verifies it, and one kind of key is one path to test.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};
use rustls::pki_types::SubjectPublicKeyInfoDer;
use rustls::pki_types::pem::{PemObject as _, SectionKind};

use super::key_kind::kind;

/// The start of the `SubjectPublicKeyInfo` of every P-256 key, in front of its point
/// (<https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1>).
const PREFIX: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a,
    0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];

/// Bytes of an uncompressed point, which begins with [`UNCOMPRESSED`].
const POINT: usize = 65;

const UNCOMPRESSED: u8 = 0x04;

/// A public P-256 key.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey {
    /// The DER of its `SubjectPublicKeyInfo`.
    spki: Vec<u8>,
}

/// The reason why a key cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// It is of another kind.
    #[error("the key is {0}, and only ECDSA keys on the curve P-256 (`ECC_NIST_P256`) can be used")]
    Kind(&'static str),
    /// It is something else than a public key.
    #[error("it holds {0}, and `-----BEGIN PUBLIC KEY-----` is needed")]
    Section(&'static str),
    /// It cannot be read.
    #[error("it cannot be read as PEM")]
    Pem,
}

impl PublicKey {
    /// Reads the DER of a `SubjectPublicKeyInfo`, as KMS returns it.
    ///
    /// # Errors
    /// The kind of a key that cannot be used.
    pub fn from_der(der: &[u8]) -> Result<Self, KeyError> {
        match der.strip_prefix(&PREFIX) {
            Some(point) if point.len() == POINT && point[0] == UNCOMPRESSED => {
                Ok(Self { spki: der.to_vec() })
            }
            _ => Err(KeyError::Kind(kind(der))),
        }
    }

    /// Reads one PEM block. Its lines may have become one, as the form of a classic pipeline makes them.
    ///
    /// # Errors
    /// The reason why it is not a public P-256 key; it shows nothing of the block, which may be a private key.
    pub fn from_pem(block: &str) -> Result<Self, KeyError> {
        let block = restored(block).ok_or(KeyError::Pem)?;
        if let Ok(der) = SubjectPublicKeyInfoDer::from_pem_slice(block.as_bytes()) {
            return Self::from_der(&der);
        }
        let section = <(SectionKind, Vec<u8>)>::from_pem_slice(block.as_bytes());
        Err(match section {
            Ok((SectionKind::Certificate, _)) => KeyError::Section("a certificate"),
            Ok((
                SectionKind::EcPrivateKey | SectionKind::PrivateKey | SectionKind::RsaPrivateKey,
                _,
            )) => KeyError::Section("a private key, which belongs in no pipeline"),
            Ok(_) => KeyError::Section("something else"),
            Err(_) if block.contains("PRIVATE KEY") => {
                KeyError::Section("a private key, which belongs in no pipeline")
            }
            Err(_) => KeyError::Pem,
        })
    }

    /// Checks an ASN.1 signature over the SHA-256 hash of a message.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let point = &self.spki[PREFIX.len()..];
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        key.verify(message, signature).is_ok()
    }

    /// The name by which a bundle hints at the key: the Base64 of its SHA-256 hash, as cosign writes it.
    #[must_use]
    pub fn hint(&self) -> String {
        use sha2::Digest as _;
        BASE64_STANDARD.encode(sha2::Sha256::digest(&self.spki))
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SHA256:{}", self.hint())
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

/// A block with its three parts on lines of their own; none where a boundary is missing.
fn restored(block: &str) -> Option<String> {
    let rest = block.trim().strip_prefix("-----BEGIN ")?;
    let (label, rest) = rest.split_once("-----")?;
    let end = format!("-----END {label}-----");
    let (body, after) = rest.split_once(&end)?;
    let body: Vec<&str> = body.split_whitespace().collect();
    after
        .trim()
        .is_empty()
        .then(|| format!("-----BEGIN {label}-----\n{}\n{end}\n", body.join("\n")))
}

/// A key whose signatures are believed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedKey {
    /// The name that the user gave it: that of a KMS key, or the hash of a PEM.
    pub name: String,
    /// The key itself.
    pub key: PublicKey,
}

/// The records that count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Every record, since no key is known: all who can push to the repository can have written it.
    Anyone,
    /// The records that one of these keys has signed.
    Keys(Vec<TrustedKey>),
}

#[cfg(test)]
mod tests {
    use super::{KeyError, PublicKey};
    use base64::Engine as _;
    use base64::prelude::BASE64_STANDARD;

    const SPKI: &str = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEdvRWTuzAePMPEEZU6tm+O0KPFzIviE4c3KpNgbKJyOoaUl8DzhPYSFIDL5Q8bmP6kDrmm5lRZdVV7yGKYtUaUA==";

    fn block(label: &str, body: &str) -> String {
        format!("-----BEGIN {label}-----\n{body}\n-----END {label}-----\n")
    }

    #[test]
    fn a_key_is_read_from_der_and_from_pem() {
        let der = BASE64_STANDARD.decode(SPKI).expect("Base64");
        let key = PublicKey::from_der(&der).expect("a key");
        assert_eq!(key.hint(), "HoBfgNzcLImYbS1vlO5vSH7FagFX5mRG5w6cDddVFbk=");
        assert_eq!(
            key.to_string(),
            "SHA256:HoBfgNzcLImYbS1vlO5vSH7FagFX5mRG5w6cDddVFbk="
        );
        let (first, second) = SPKI.split_at(64);
        for body in [SPKI.to_owned(), format!("{first}\r\n{second}")] {
            let pem = block("PUBLIC KEY", &body);
            assert_eq!(PublicKey::from_pem(&pem), Ok(key.clone()));
            let flat = pem.replace(['\r', '\n'], " ");
            assert_eq!(PublicKey::from_pem(&flat), Ok(key.clone()), "{flat}");
        }
    }

    #[test]
    fn a_key_of_another_kind_is_refused_by_its_name() {
        let hex = |text: &str| -> Vec<u8> {
            let bytes = (0..text.len()).step_by(2);
            bytes
                .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hex"))
                .collect()
        };
        let with = |start: &str, bytes: usize| [hex(start), vec![7; bytes]].concat();
        for (der, expected) in [
            (
                with("3076301006072a8648ce3d020106052b8104002203620004", 96),
                "an ECDSA key on the curve P-384",
            ),
            (
                with("3056301006072a8648ce3d020106052b8104000a03420004", 64),
                "an ECDSA key on the curve secp256k1",
            ),
            (
                with("3039301306072a8648ce3d020106082a8648ce3d03010703220002", 32),
                "a P-256 key in another form",
            ),
            (with("302a300506032b6570032100", 32), "an Ed25519 key"),
            (
                with("30820122300d06092a864886f70d01010105000382010f00", 256),
                "an RSA key",
            ),
            (b"no key".to_vec(), "of an unknown kind"),
            (Vec::new(), "of an unknown kind"),
        ] {
            assert_eq!(PublicKey::from_der(&der), Err(KeyError::Kind(expected)));
        }
    }

    #[test]
    fn a_text_without_a_public_key_is_refused_and_not_shown() {
        let secret = "c2VjcmV0IGtleSBieXRlcw==";
        for label in [
            "PRIVATE KEY",
            "EC PRIVATE KEY",
            "ENCRYPTED PRIVATE KEY",
            "ENCRYPTED SIGSTORE PRIVATE KEY",
        ] {
            let error = PublicKey::from_pem(&block(label, secret)).expect_err(label);
            let text = error.to_string();
            assert!(text.contains("a private key"), "{label}: {text}");
            assert!(!text.contains(secret), "{text}");
        }
        let certificate = PublicKey::from_pem(&block("CERTIFICATE", secret));
        assert_eq!(certificate, Err(KeyError::Section("a certificate")));
        for text in [
            "",
            "alias/x",
            "-----BEGIN PUBLIC KEY-----",
            &block("PUBLIC KEY", "!"),
        ] {
            assert_eq!(PublicKey::from_pem(text), Err(KeyError::Pem), "{text}");
        }
    }
}
