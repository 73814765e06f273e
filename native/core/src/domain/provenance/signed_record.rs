//! Records of an image with their content: signed ones prove it, unsigned ones only state it.

use super::attestation;
use super::bundle::{self, BundleError};
use super::key::TrustedKey;
use super::predicate::Predicate;
use super::record::{Provenance, RecordError};
use super::statement::{BUILD_TYPE, StatementDetails};
use crate::domain::reference::digest::Digest;
use crate::report::cause::Cause;

/// A record of how an image was made, with its details.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The digests that it names.
    pub provenance: Provenance,
    /// The details for people.
    pub told: StatementDetails,
}

impl Record {
    /// The error of a record whose content has more bytes than one can have.
    #[must_use]
    pub fn too_long(artifact: &Digest, bytes: u64) -> RecordError {
        RecordError::new(artifact, &BundleError::TooLarge(bytes).to_string())
    }

    /// Completes a record by its content, where no key is known: a statement, or a bundle whose signature nobody can
    /// check. All who can push to the repository can have written either.
    ///
    /// # Errors
    /// The content is not one of our statements about the image.
    pub fn unproven(
        provenance: Provenance,
        content: &[u8],
        is_bundle: bool,
        image: &Digest,
    ) -> Result<Self, RecordError> {
        let unreadable = |why: &str| RecordError::new(&provenance.artifact, why);
        let statement = if is_bundle {
            bundle::unproven_statement(content)
        } else {
            Ok(content.to_vec())
        };
        let statement = statement.map_err(|error| unreadable(&error.to_string()))?;
        let predicate = attestation::read::<Predicate>(&statement, BUILD_TYPE, image);
        let predicate = predicate.map_err(|why| unreadable(&why))?;
        let predicate =
            predicate.ok_or_else(|| unreadable("its content is not a statement of this task"))?;
        Ok(Self {
            told: predicate.details(),
            provenance,
        })
    }

    /// Reads the bundle of an artifact, and believes nothing but what a trusted key has signed; none if it is another
    /// kind of statement, signed by such a key.
    ///
    /// # Errors
    /// The reason why it proves nothing.
    pub fn signed(
        bundle: &[u8],
        artifact: &Digest,
        image: &Digest,
        keys: &[TrustedKey],
    ) -> Result<Option<Self>, BundleError> {
        let opened = bundle::open(bundle, keys)?;
        // The statement is someone's word too, of any length.
        let refused = |why: String| BundleError::Statement(Cause::said(&why));
        let predicate = attestation::read::<Predicate>(&opened.payload, BUILD_TYPE, image);
        let Some(predicate) = predicate.map_err(refused)? else {
            return Ok(None);
        };
        let recipe = predicate.recipe().map_err(refused)?;
        Ok(Some(Self {
            provenance: Provenance {
                recipe,
                options: predicate.option_fields(),
                sensor_version: predicate.sensor_version().map(str::to_owned),
                artifact: artifact.clone(),
                signer: Some(opened.key.name.clone()),
            },
            told: predicate.details(),
        }))
    }
}

#[cfg(test)]
mod tests;
