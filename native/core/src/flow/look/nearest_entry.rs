//! Finds the entry of the graft cache whose question is the nearest, to explain why there is none for this run's.

use std::time::Duration;

use futures_util::future::join_all;

use crate::adapters::registry::client::Registry;
use crate::domain::graft::entry::question_of;
use crate::domain::graft::entry_document::EntryBlobs;
use crate::domain::graft::question::{Question, TAG_PREFIX};
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::services::Services;

/// The most entries that are read for a line in the log.
const ENTRIES: usize = 8;

/// The longest time for it; a patch that takes much longer follows.
const TIME: Duration = Duration::from_secs(5);

/// Names the parts in which the nearest entry's question differs.
///
/// It decides nothing, so whatever cannot be read is left out.
pub(super) async fn nearest(
    services: &Services,
    repository: &Repository,
    question: &Question,
) -> Option<Vec<String>> {
    let registry = services.registry().await.ok()?;
    let looking = async {
        let tags = registry.tags(repository).await.ok()?;
        let entries = tags
            .iter()
            .filter(|tag| tag.as_str().starts_with(TAG_PREFIX));
        let entries = entries
            .take(ENTRIES)
            .map(|tag| text(registry, repository, tag));
        let texts = join_all(entries).await;
        let texts = texts.iter().flatten();
        let differences = texts.filter_map(|text| question.differences(text));
        differences.min_by_key(Vec::len)
    };
    tokio::time::timeout(TIME, looking).await.ok()?
}

/// The question of an entry.
async fn text(registry: &Registry, repository: &Repository, tag: &Tag) -> Option<String> {
    let manifest = registry.tagged_manifest(repository, tag).await.ok()??;
    let blobs = EntryBlobs::read(&manifest).ok()?;
    let digest = manifest.digest();
    let document = registry.artifact_blob(repository, &digest, &blobs.document);
    question_of(&document.await.ok()?).ok()
}
