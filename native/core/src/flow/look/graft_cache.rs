//! Looks for the entry of the graft cache that answers this run's question.

use std::panic::resume_unwind;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::entry_signature::signer;
use super::nearest_entry::nearest;
use super::piece_reader::PieceReader;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::RegistryError;
use crate::domain::assembly::layer_check::check_layer;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::graft::cached::CachedGraft;
use crate::domain::graft::entry::Entry;
use crate::domain::graft::entry_document::EntryBlobs;
use crate::domain::graft::entry_fault::EntryFault;
use crate::domain::graft::question::Question;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::provenance::key::Trust;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::graft_cache::{CacheAnswer, CacheHit};
use crate::flow::services::Services;
use crate::report::problem::Problem;

/// Pieces of a layer that may wait for the thread that checks it.
const WAITING: usize = 16;

/// A look at the cache.
#[derive(Clone, Copy, Debug)]
pub struct CacheLookup<'a> {
    /// The target's repository, which has the entries.
    pub repository: &'a Repository,
    /// The source.
    pub source: &'a RegistryImage,
    /// The options for falconutil.
    pub options: &'a FalconOptions,
    /// The question.
    pub question: &'a Question,
    /// The entries that count.
    pub trust: &'a Trust,
}

/// Reason that an entry is passed over.
enum PassedOver {
    Fault(EntryFault),
    Problem(Problem),
}

impl From<EntryFault> for PassedOver {
    fn from(fault: EntryFault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Problem> for PassedOver {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<RegistryError> for PassedOver {
    /// Takes a blob that is missing, or is another than it must be, for the entry's fault.
    fn from(error: RegistryError) -> Self {
        match &error {
            RegistryError::AnswerInvalid { source, .. }
            | RegistryError::ImageNotFound { source, .. } => {
                Self::Fault(EntryFault::Incomplete(source.to_string()))
            }
            _ => Self::Problem(error.into()),
        }
    }
}

impl CacheLookup<'_> {
    /// Looks for the entry, checks it, and puts the image together that it makes. Without an entry it finds the nearest
    /// one, for the log.
    pub async fn answer(&self, services: &Services) -> CacheAnswer {
        match self.hit(services).await {
            Ok(Some(hit)) => CacheAnswer::Hit(hit),
            Ok(None) => CacheAnswer::Missing {
                nearest: nearest(services, self.repository, self.question).await,
            },
            Err(PassedOver::Fault(fault)) => CacheAnswer::Refused(fault),
            Err(PassedOver::Problem(problem)) => CacheAnswer::Unread(problem),
        }
    }

    async fn hit(&self, services: &Services) -> Result<Option<CacheHit>, PassedOver> {
        let Self {
            repository, source, ..
        } = self;
        let registry = services.registry().await?;
        let tag = self.question.tag();
        let Some(manifest) = registry.tagged_manifest(repository, &tag).await? else {
            return Ok(None);
        };
        let digest = manifest.digest();
        let blobs = EntryBlobs::read(&manifest)?;
        let signer = self.signer(registry, &digest).await?;
        let document = registry.artifact_blob(repository, &digest, &blobs.document);
        let entry = Entry::read(&blobs, &document.await?, self.question)?;
        let graft = CachedGraft::of(source, &entry, self.options)?;
        // A signature binds the layer; without one its content shows what it is.
        let layer = &blobs.layer;
        if signer.is_some() {
            registry.check_blob(repository, &digest, layer).await?;
        } else {
            read(registry, repository, &digest, layer, &entry.layer).await?;
        }
        Ok(Some(CacheHit {
            entry: digest,
            signer,
            graft: Arc::new(graft),
        }))
    }

    /// The trusted key that has signed an entry; none where no key is known.
    async fn signer(
        &self,
        registry: &Registry,
        entry: &Digest,
    ) -> Result<Option<String>, PassedOver> {
        let Trust::Keys(keys) = self.trust else {
            return Ok(None);
        };
        let found = signer(registry, self.repository, entry, keys).await?;
        Ok(Some(found.map_err(EntryFault::NotSigned)?))
    }
}

/// Reads the layer to its end, while a thread checks what arrives.
async fn read(
    registry: &Registry,
    repository: &Repository,
    entry: &Digest,
    blob: &Descriptor,
    layer: &PackedLayer,
) -> Result<(), PassedOver> {
    let (send, pieces) = mpsc::channel(WAITING);
    let diff_id = layer.diff_id.clone();
    let checking = spawn_blocking(move || check_layer(PieceReader::new(pieces), &diff_id));
    let arriving = registry.read_blob(repository, entry, blob, send);
    let (arrived, checked) = tokio::join!(arriving, checking);
    // Bytes that did not arrive, or are others, explain more than what was made of them.
    arrived?;
    let checked = checked.unwrap_or_else(|error| resume_unwind(error.into_panic()));
    Ok(checked.map_err(EntryFault::Layer)?)
}
