//! Images on their way from one registry to another, without an engine between.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::stream;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};

use super::blob_stream::BlobOrigin;
use super::client::Registry;
use super::error::RegistryError;
use super::subject::Subject;
use super::upload::{Arrival, Upload};
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest;
use crate::domain::image::manifest::{Manifest, ManifestReference, RawManifest};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// Blobs that are on their way at the same time.
const AT_ONCE: usize = 4;

/// Interval at which progress is told; the log thins it out further.
const PROGRESS_EVERY: Duration = Duration::from_millis(500);

/// Listener that hears how many bytes of how many are done.
pub type OnProgress<'a> = &'a (dyn Fn(u64, u64) + Sync);

impl Registry {
    /// Copies an image with all its platforms, byte for byte, and has a tag name it.
    ///
    /// Blobs come first, then the manifests of an index by digest, the tag last: a copy that breaks
    /// off leaves nothing that can be pulled, and two that run at the same time write the same.
    pub async fn copy(
        &self,
        from: &Repository,
        digest: &Digest,
        to: &Repository,
        tag: &Tag,
        progress: OnProgress<'_>,
    ) -> Result<(), RegistryError> {
        let top = self.raw(from, digest).await?;
        let mut children = Vec::new();
        for child in manifest::children(&top).map_err(|why| unusable(from, digest, &why))? {
            children.push(self.raw(from, &child.digest).await?);
        }
        let images = if children.is_empty() {
            std::slice::from_ref(&top)
        } else {
            &children
        };
        let mut blobs: BTreeMap<Digest, Descriptor> = BTreeMap::new();
        for image in images {
            let needed = needed(image).map_err(|why| unusable(from, &image.digest(), &why))?;
            blobs.extend(needed.into_iter().map(|blob| (blob.digest.clone(), blob)));
        }
        let uploads: Vec<Upload<'_>> = blobs
            .values()
            .map(|blob| Upload {
                blob,
                origin: BlobOrigin::Repository(from),
            })
            .collect();
        self.upload_all(to, &uploads, progress).await?;
        for child in &children {
            self.put_by_digest(to, child).await?;
        }
        self.put_manifest(to, tag, &top).await
    }

    /// Brings blobs into a repository, several at a time, and tells how each came there.
    pub(crate) async fn upload_all(
        &self,
        to: &Repository,
        uploads: &[Upload<'_>],
        progress: OnProgress<'_>,
    ) -> Result<Vec<Arrival>, RegistryError> {
        // Sizes are a registry's words until the bytes are there.
        let sizes = uploads.iter().map(|upload| upload.blob.size);
        let total = sizes.fold(0, u64::saturating_add);
        let sent: Vec<Arc<AtomicU64>> = uploads.iter().map(|_| Arc::default()).collect();
        let tell = || progress(sum(&sent), total);
        // Collected first: a lazy iterator's borrows are too general for the compiler to see that this can be sent.
        let each: Vec<_> = std::iter::zip(uploads, &sent)
            .map(|(upload, sent)| self.upload(to, *upload, sent))
            .collect();
        let all = stream::iter(each).buffered(AT_ONCE).try_collect();
        tokio::pin!(all);
        loop {
            tokio::select! {
                arrivals = &mut all => {
                    tell();
                    return arrivals;
                }
                () = tokio::time::sleep(PROGRESS_EVERY) => tell(),
            }
        }
    }

    /// A manifest by its digest, which its bytes are held to.
    async fn raw(&self, from: &Repository, digest: &Digest) -> Result<RawManifest, RegistryError> {
        let reference = ManifestReference::Digest(digest.clone());
        let subject = Subject::read(from, Some(&reference));
        Ok(self.manifest(&subject).await?.0)
    }
}

/// The bytes that are there of all blobs together.
fn sum(sent: &[Arc<AtomicU64>]) -> u64 {
    sent.iter()
        .map(|sent| sent.load(Ordering::Relaxed))
        .fold(0, u64::saturating_add)
}

/// The blobs that a manifest refers to.
fn needed(image: &RawManifest) -> Result<Vec<Descriptor>, String> {
    match manifest::parse(image)? {
        Manifest::Image(parts) => Ok(parts.layers.into_iter().chain([parts.config]).collect()),
        Manifest::Index(_) => Err("an index holds another index".to_owned()),
    }
}

fn unusable(repository: &Repository, digest: &Digest, why: &str) -> RegistryError {
    let reference = ManifestReference::Digest(digest.clone());
    Subject::read(repository, Some(&reference)).invalid(why)
}
