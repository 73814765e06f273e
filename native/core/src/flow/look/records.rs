//! Reads the records of how an image was made, as far as they count.

use futures_util::stream;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};

use super::bundles;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::{Access, RegistryError};
use crate::domain::image::referrer::Referrer;
use crate::domain::provenance::bundle::{BUNDLE_LIMIT, BUNDLE_TYPE};
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::record::{Provenance, STATEMENT_TYPE, is_annotated};
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::fact::Fact;
use crate::report::cause::Cause;
use crate::report::problem::Problem;

/// Statements that are read at the same time.
const AT_ONCE: usize = 4;

/// The most records that are read of an image without keys.
const UNSIGNED: usize = 200;

/// An image whose records are looked up.
#[derive(Clone, Copy)]
pub struct RecordLookup<'a> {
    /// Access to the registry.
    pub registry: &'a Registry,
    /// The repository of the image.
    pub repository: &'a Repository,
    /// The image.
    pub image: &'a Digest,
    /// The records that count.
    pub trust: &'a Trust,
}

impl RecordLookup<'_> {
    /// Reads what the records state of the image. Unsigned ones are read from their annotations alone, with one request.
    ///
    /// # Errors
    /// The registry does not answer, or an unsigned record cannot be read, which is not a record less.
    pub async fn provenance(self) -> Fact<KnownRecords<Provenance>> {
        match self.trust {
            Trust::Anyone => {
                let read = self.unproven().await?.into_iter();
                let known = read.map(|(_, provenance)| provenance).collect();
                Ok(KnownRecords::all(known))
            }
            Trust::Keys(keys) => {
                let records = bundles::read(self.registry, self.repository, self.image, keys);
                Ok(records.await?.map(|record| record.provenance))
            }
        }
    }

    /// Reads the records with their details for people.
    ///
    /// # Errors
    /// As [`Self::provenance`], or the statement of an unsigned record cannot be read.
    pub async fn records(self) -> Fact<KnownRecords<Record>> {
        match self.trust {
            Trust::Anyone => Ok(KnownRecords::all(self.with_statements().await?)),
            Trust::Keys(keys) => {
                bundles::read(self.registry, self.repository, self.image, keys).await
            }
        }
    }

    /// The records without a key to check them by, signed ones among them, each with its artifact's type.
    async fn unproven(self) -> Fact<Vec<(String, Provenance)>> {
        let (repository, image) = (self.repository, self.image);
        let types = [STATEMENT_TYPE, BUNDLE_TYPE];
        let found = self.registry.referrers(repository, image, &types).await?;
        let ours: Vec<&Referrer> = found.iter().filter(|one| is_annotated(one)).collect();
        if ours.len() > UNSIGNED {
            return Err(self.refused(&format!(
                "more than {UNSIGNED} records refer to it, and no more are read"
            )));
        }
        let read = ours.into_iter().filter_map(|referrer| {
            let read = Provenance::read(referrer).transpose()?;
            Some(read.map(|provenance| (referrer.artifact_type.clone(), provenance)))
        });
        Ok(read.collect::<Result<_, _>>()?)
    }

    async fn with_statements(self) -> Fact<Vec<Record>> {
        let Self {
            registry,
            repository,
            image,
            ..
        } = self;
        let read = self.unproven().await?.into_iter();
        let read = read.map(|(artifact_type, provenance)| async move {
            let artifact = &provenance.artifact;
            let layer = registry.artifact_layer(repository, artifact).await?;
            if layer.size > BUNDLE_LIMIT {
                return Err(Record::too_long(artifact, layer.size).into());
            }
            let content = registry.artifact_blob(repository, artifact, &layer).await?;
            let is_bundle = artifact_type == BUNDLE_TYPE;
            Ok::<_, Problem>(Record::unproven(provenance, &content, is_bundle, image)?)
        });
        stream::iter(read).buffered(AT_ONCE).try_collect().await
    }

    fn refused(self, why: &str) -> Problem {
        let error = RegistryError::AnswerInvalid {
            image: self.repository.at(self.image),
            access: Access::Read,
            source: Cause::said(why),
        };
        error.into()
    }
}

#[cfg(test)]
mod tests;
