//! Record of what a patched image was made of, kept beside it in the registry.
//!
//! It is an in-toto statement that refers to the image, so anyone can ask a registry for it. The
//! digests that a later run compares are annotations of its manifest too: the list of what refers
//! to an image holds them, so one request tells whether anything has changed. Anyone who can push to
//! the repository can write such a statement, which is why it is never believed alone: see
//! `TargetState`.

use std::collections::BTreeMap;

use serde_json::json;

use super::option_fields::OptionFields;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::image::referrer::Referrer;
use crate::domain::reference::digest::Digest;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Explain;
use crate::report::secret::Secret;

/// The media type of in-toto statements
/// (<https://github.com/in-toto/attestation/blob/main/spec/v1/envelope.md>).
pub const STATEMENT_TYPE: &str = "application/vnd.in-toto+json";

/// The version of what is compared; a record with another one cannot be read, so the image is patched again.
const SCHEMA: &str = "1";

const SCHEMA_ANNOTATION: &str = "falcon-patch.schema";

const SOURCE_ANNOTATION: &str = "falcon-patch.source";

const SENSOR_ANNOTATION: &str = "falcon-patch.sensor";

const OPTIONS_ANNOTATION: &str = "falcon-patch.options";

const VERSION_ANNOTATION: &str = "falcon-patch.sensor-version";

/// Returns true if the annotations of an artifact call it a record of ours, as everyone can write them.
#[must_use]
pub fn is_annotated(referrer: &Referrer) -> bool {
    referrer.annotations.contains_key(SCHEMA_ANNOTATION)
}

/// Inputs that decide how a patched image comes out, by digests alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipe {
    /// The source's ARM64 manifest; none for an image of the engine, which has no digest that lasts.
    pub source: Option<Digest>,
    /// The sensor's ARM64 manifest.
    pub sensor: Digest,
    /// The options of falconutil, as a digest that does not reveal them.
    pub options: Digest,
}

impl Recipe {
    /// The recipe of a patch.
    #[must_use]
    pub fn new(source: Option<&Digest>, sensor: &Digest, options: &FalconOptions) -> Self {
        Self {
            source: source.cloned(),
            sensor: sensor.clone(),
            options: options_digest(options),
        }
    }
}

/// The options as one digest: the customer ID has too many digits to be guessed, and so the digest
/// gives away none of the others.
fn options_digest(options: &FalconOptions) -> Digest {
    let told = json!([
        options.customer_id.reveal().to_ascii_lowercase(),
        options.cloud_service,
        options.container_name,
        options.falconctl_options.as_ref().map(Secret::reveal),
    ]);
    Digest::of(told.to_string().as_bytes())
}

/// A record of ours that cannot be read. The image counts as unknown, and not as one without records.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The record `{artifact}` of how the image was made cannot be read")]
pub struct RecordError {
    artifact: Digest,
    #[source]
    why: Cause,
}

impl RecordError {
    pub(super) fn new(artifact: &Digest, why: &str) -> Self {
        Self {
            artifact: artifact.clone(),
            why: Cause::said(why),
        }
    }
}

impl Explain for RecordError {
    fn code(&self) -> Code {
        Code::RegistryAnswerInvalid
    }

    fn hint(&self) -> Option<String> {
        Some("Update the task if a newer version wrote the record; else delete the record in the registry, and patch the image again".to_owned())
    }
}

/// Facts about how an image was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Provenance {
    /// Inputs that it was made of.
    pub recipe: Recipe,
    /// The options of the recipe one by one.
    pub options: OptionFields,
    /// The sensor's version, where it was known.
    pub sensor_version: Option<String>,
    /// The artifact that says so.
    pub artifact: Digest,
    /// The name of the trusted key that has signed it; none where no key is known.
    pub signer: Option<String>,
}

impl Provenance {
    /// Reads an artifact's annotations; none if it is not a record of ours.
    ///
    /// # Errors
    /// The reason why a record of ours cannot be read.
    pub fn read(referrer: &Referrer) -> Result<Option<Self>, RecordError> {
        let text = |name: &str| referrer.annotations.get(name);
        let unreadable = |why: String| RecordError::new(&referrer.digest, &why);
        let digest = |name: &str| {
            let parsed = text(name).map(|text| text.parse::<Digest>());
            let parsed = parsed.transpose();
            parsed.map_err(|error| unreadable(format!("its annotation `{name}`: {error}")))
        };
        let needed = |name: &str| {
            digest(name)?.ok_or_else(|| unreadable(format!("it has no annotation `{name}`")))
        };
        match text(SCHEMA_ANNOTATION) {
            None => return Ok(None),
            Some(schema) if schema == SCHEMA => {}
            Some(other) => {
                let why = format!("it has the form `{other}`, and this version reads `{SCHEMA}`");
                return Err(unreadable(why));
            }
        }
        Ok(Some(Self {
            recipe: Recipe {
                source: digest(SOURCE_ANNOTATION)?,
                sensor: needed(SENSOR_ANNOTATION)?,
                options: needed(OPTIONS_ANNOTATION)?,
            },
            options: OptionFields::read(&referrer.annotations),
            sensor_version: text(VERSION_ANNOTATION).cloned(),
            artifact: referrer.digest.clone(),
            signer: None,
        }))
    }

    /// Returns the annotations that [`Provenance::read`] reads.
    #[must_use]
    pub fn annotations(
        recipe: &Recipe,
        options: &OptionFields,
        sensor_version: Option<&str>,
    ) -> BTreeMap<String, String> {
        let all = [
            (SCHEMA_ANNOTATION, Some(SCHEMA)),
            (
                SOURCE_ANNOTATION,
                recipe.source.as_ref().map(Digest::as_str),
            ),
            (SENSOR_ANNOTATION, Some(recipe.sensor.as_str())),
            (OPTIONS_ANNOTATION, Some(recipe.options.as_str())),
            (VERSION_ANNOTATION, sensor_version),
        ];
        all.into_iter()
            .filter_map(|(name, text)| Some((name.to_owned(), text?.to_owned())))
            .chain(options.annotations())
            .collect()
    }
}
