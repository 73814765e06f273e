//! Reads the records of how an image was made, as far as they count.

use futures_util::stream;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};

use super::bundles;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::{Access, RegistryError};
use crate::domain::image::referrer::Referrer;
use crate::domain::provenance::bundle::BUNDLE_TYPE;
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

/// Bytes that all statements about one image may have together; one has some 4 KiB.
const STATEMENTS: usize = 16 * 1024 * 1024;

/// The most unsigned records that are read of an image.
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
                let claims = self.claims().await?.into_iter();
                Ok(KnownRecords::all(claims.map(|claim| claim.0).collect()))
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

    /// Reads the annotations of unsigned records, and those of signed ones, which state no less where no key is known.
    async fn claims(self) -> Fact<Vec<(Provenance, Referrer)>> {
        let types = [STATEMENT_TYPE, BUNDLE_TYPE];
        let found = self.registry.referrers(self.repository, self.image, &types);
        let mut found = found.await?;
        // Other programs attach bundles too, in any number.
        found.retain(|one| one.artifact_type == STATEMENT_TYPE || is_annotated(one));
        if found.len() > UNSIGNED {
            return Err(self.refused(&format!(
                "more than {UNSIGNED} statements refer to it, and no more are read"
            )));
        }
        let read = found.into_iter().filter_map(|referrer| {
            let read = Provenance::read(&referrer).transpose()?;
            Some(read.map(|provenance| (provenance, referrer)))
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
        let read = self.claims().await?.into_iter().map(|claim| async {
            let content = registry.artifact_content(repository, &claim.1.digest).await;
            Ok::<_, Problem>((content?, claim))
        });
        let mut contents = stream::iter(read).buffered(AT_ONCE);
        let (mut records, mut bytes) = (Vec::new(), 0);
        while let Some((content, (provenance, referrer))) = contents.try_next().await? {
            bytes += content.len();
            if bytes > STATEMENTS {
                return Err(self.refused(&format!(
                    "its records have more than {STATEMENTS} bytes together, and no more are read"
                )));
            }
            let is_bundle = referrer.artifact_type == BUNDLE_TYPE;
            records.push(if is_bundle {
                Record::unverified(provenance, &content, image)?
            } else {
                Record::unsigned(provenance, &content, image)?
            });
        }
        Ok(records)
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
