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
    /// Completes an unsigned record with the details of its statement. All who can push to the repository can have
    /// written both.
    ///
    /// # Errors
    /// The statement is not one of ours about the image.
    pub fn unsigned(
        provenance: Provenance,
        statement: &[u8],
        image: &Digest,
    ) -> Result<Self, RecordError> {
        let predicate = attestation::read::<Predicate>(statement, BUILD_TYPE, image);
        let unreadable = |why: &str| RecordError::new(&provenance.artifact, why);
        let predicate = predicate.map_err(|why| unreadable(&why))?;
        let predicate =
            predicate.ok_or_else(|| unreadable("its content is not a statement of this task"))?;
        Ok(Self {
            told: predicate.details(),
            provenance,
        })
    }

    /// Completes a record with the statement in its bundle, whose signature no known key can show to be right.
    ///
    /// # Errors
    /// The content is not a bundle, or its statement is not one of ours about the image.
    pub fn unverified(
        provenance: Provenance,
        bundle: &[u8],
        image: &Digest,
    ) -> Result<Self, RecordError> {
        match bundle::claimed_statement(bundle) {
            Ok(statement) => Self::unsigned(provenance, &statement, image),
            Err(why) => Err(RecordError::new(&provenance.artifact, &why)),
        }
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
