//! Statements in in-toto's form with SLSA's provenance as predicate, read so strictly that they can prove something.
//!
//! Doubled fields are errors, because another reader may take the other one; so is each top-level field that the form
//! does not have (<https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md>).

use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::domain::reference::digest::Digest;

/// The `_type` of a statement.
pub const STATEMENT_FORM: &str = "https://in-toto.io/Statement/v1";

/// The type of the predicate (<https://slsa.dev/spec/v1.0/provenance>).
pub const PREDICATE_TYPE: &str = "https://slsa.dev/provenance/v1";

/// The field that every statement has, whatever it is about.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyStatement {
    predicate_type: String,
}

/// The kind of build, as far as a predicate names one.
#[derive(Deserialize)]
struct AnyProvenance {
    predicate: AnyPredicate,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyPredicate {
    build_definition: Option<AnyBuild>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct AnyBuild {
    build_type: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Statement<P> {
    #[serde(rename = "_type")]
    form: String,
    subject: Vec<Subject>,
    #[serde(rename = "predicateType")]
    _predicate_type: String,
    predicate: P,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Subject {
    /// A name that proves nothing: the same image can have several.
    #[serde(rename = "name")]
    _name: Option<String>,
    digest: SubjectDigest,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SubjectDigest {
    sha256: String,
}

/// Reads the predicate of a statement of one kind of build about one subject; none if it is another kind of statement.
///
/// # Errors
/// The reason why a statement of this kind proves nothing about the subject.
pub fn read<P: DeserializeOwned>(
    payload: &[u8],
    build_type: &str,
    subject: &Digest,
) -> Result<Option<P>, String> {
    let unreadable = |error: serde_json::Error| format!("its statement cannot be read: {error}");
    let any: AnyStatement = serde_json::from_slice(payload).map_err(unreadable)?;
    if any.predicate_type != PREDICATE_TYPE {
        return Ok(None);
    }
    let provenance: AnyProvenance = serde_json::from_slice(payload).map_err(unreadable)?;
    let build = provenance.predicate.build_definition;
    if build.and_then(|build| build.build_type).as_deref() != Some(build_type) {
        return Ok(None);
    }
    let statement: Statement<P> = serde_json::from_slice(payload).map_err(unreadable)?;
    if statement.form != STATEMENT_FORM {
        return Err(format!(
            "the `_type` of its statement is not `{STATEMENT_FORM}`"
        ));
    }
    let [only] = statement.subject.as_slice() else {
        let count = statement.subject.len();
        return Err(format!("its statement has {count} subjects, and not one"));
    };
    let named: Result<Digest, _> = format!("sha256:{}", only.digest.sha256).parse();
    match named {
        Ok(named) if named == *subject => Ok(Some(statement.predicate)),
        Ok(named) => Err(format!("its statement is about {named}")),
        Err(_) => Err("the subject of its statement has no SHA-256 digest".to_owned()),
    }
}
