//! The signature of an entry: a statement about the entry's manifest, which binds question, answer and layer.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use crate::domain::agent::Origin;
use crate::domain::image::referrer::Referrer;
use crate::domain::provenance::attestation::{self, PREDICATE_TYPE, STATEMENT_FORM};
use crate::domain::provenance::bundle::{self, BundleError};
use crate::domain::provenance::key::TrustedKey;
use crate::domain::provenance::statement::BUILDER;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// The kind of build. It keeps the statement apart from the record of an image.
const BUILD_TYPE: &str = "urn:falcon-arm64-patch:graft:v1";

/// An entry that is to be signed.
#[derive(Clone, Copy, Debug)]
pub struct SignedEntry<'a> {
    /// The repository of the entry.
    pub repository: &'a Repository,
    /// The entry's manifest.
    pub entry: &'a Digest,
    /// The sensor's manifest for linux/arm64.
    pub sensor: &'a Digest,
    /// Origin of the run.
    pub origin: &'a Origin,
    /// The time of the signature, in the form of RFC 3339.
    pub finished: &'a str,
}

/// An unused predicate: the signature stands for the subject alone.
#[derive(Deserialize)]
struct Graft {
    #[serde(rename = "buildDefinition")]
    _build: IgnoredAny,
}

impl SignedEntry<'_> {
    /// The statement; it holds no secret.
    #[must_use]
    pub fn statement(&self) -> Value {
        json!({
            "_type": STATEMENT_FORM,
            "subject": [{"name": self.repository.to_string(), "digest": {"sha256": hex(self.entry)}}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": {},
                    "internalParameters": {},
                    "resolvedDependencies": [{"name": "sensor", "digest": {"sha256": hex(self.sensor)}}],
                },
                "runDetails": {
                    "builder": {"id": BUILDER, "version": {"falcon-arm64-patch": env!("CARGO_PKG_VERSION")}},
                    "metadata": {"invocationId": self.origin.run, "finishedOn": self.finished},
                },
            },
        })
    }
}

/// The annotation by which the signatures of this task come first.
const ANNOTATION: &str = "falcon-patch.graft-entry";

/// Returns true if the annotations of an artifact call it a signature of ours, as everyone can write them.
#[must_use]
pub fn is_annotated(referrer: &Referrer) -> bool {
    referrer.annotations.contains_key(ANNOTATION)
}

/// The annotations of a signature.
#[must_use]
pub fn annotations(entry: &Digest) -> BTreeMap<String, String> {
    let mut annotations = bundle::annotations(PREDICATE_TYPE);
    annotations.insert(ANNOTATION.to_owned(), entry.to_string());
    annotations
}

/// Reads a bundle beside an entry, and returns the name of the trusted key that has signed for the entry; none if it is
/// another kind of statement.
///
/// # Errors
/// The reason why the bundle proves nothing about the entry.
pub fn signer_of<'a>(
    bundle: &[u8],
    entry: &Digest,
    keys: &'a [TrustedKey],
) -> Result<Option<&'a str>, BundleError> {
    let opened = bundle::open(bundle, keys)?;
    let read = attestation::read::<Graft>(&opened.payload, BUILD_TYPE, entry);
    let read = read.map_err(|why| BundleError::Statement(Cause::said(&why)))?;
    Ok(read.map(|_| opened.key.name.as_str()))
}

fn hex(digest: &Digest) -> &str {
    digest.as_str().trim_start_matches("sha256:")
}

#[cfg(test)]
mod tests;
