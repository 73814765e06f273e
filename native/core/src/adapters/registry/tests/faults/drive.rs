//! A use of each kind of request, as a run makes it.

use tokio::sync::mpsc;

use super::stand_in::{SOURCE, StandIn, TARGET};
use crate::adapters::registry::blob_stream::BlobOrigin;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::RegistryError;
use crate::adapters::registry::request_kind::RegistryRequest;
use crate::adapters::registry::tests::{CONFIG, manifest, tag};
use crate::adapters::registry::upload::Upload;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::tag::Tag;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// The tag that a use pushes.
pub(super) const NEW: &str = "1.4-falcon";

fn new_tag() -> Tag {
    NEW.parse().expect("a tag")
}

/// Sends a request of a kind, with those around it, and checks each result that counts as good.
pub(super) async fn drive(
    kind: RegistryRequest,
    registry: &Registry,
    at: &StandIn,
) -> Result<(), Problem> {
    match kind {
        RegistryRequest::Ping => ping(registry, at).await,
        RegistryRequest::Challenge
        | RegistryRequest::Token
        | RegistryRequest::TokenByForm
        | RegistryRequest::Manifest
        | RegistryRequest::SmallBlob => Ok(read_image(registry, at).await?),
        RegistryRequest::BlobStream => Ok(read_layer(registry, at).await?),
        RegistryRequest::BlobCheck => Ok(check_blob(registry, at).await?),
        RegistryRequest::Mount
        | RegistryRequest::BlobPresence
        | RegistryRequest::UploadStart
        | RegistryRequest::BlobUpload
        | RegistryRequest::ManifestPut
        | RegistryRequest::TagPut
        | RegistryRequest::TagDigest => Ok(push(kind, registry, at).await?),
        RegistryRequest::Tags => Ok(list_tags(registry, at).await?),
        RegistryRequest::Referrers => Ok(list_referrers(registry, at).await?),
    }
}

async fn ping(registry: &Registry, at: &StandIn) -> Result<(), Problem> {
    if registry.answers(&at.repository(TARGET)).await {
        return Ok(());
    }
    Err(Problem {
        code: Code::EngineStagingFailed,
        what: "The local registry does not answer yet, and is asked again".to_owned(),
        why: Vec::new(),
        hint: None,
    })
}

async fn read_image(registry: &Registry, at: &StandIn) -> Result<(), RegistryError> {
    let (from, digest) = (at.repository(SOURCE), manifest().digest());
    let image = registry.image(&from, &digest).await?;
    assert_eq!(image.manifest, manifest());
    assert_eq!(image.config_bytes, CONFIG.as_bytes());
    Ok(())
}

async fn read_layer(registry: &Registry, at: &StandIn) -> Result<(), RegistryError> {
    let (sender, mut receiver) = mpsc::channel(8);
    let (from, digest) = (at.repository(SOURCE), manifest().digest());
    let layer = Descriptor::of("layer", b"layer");
    let reading = registry.read_blob(&from, &digest, &layer, sender);
    let collected = async {
        let mut bytes = Vec::new();
        while let Some(piece) = receiver.recv().await {
            bytes.extend_from_slice(&piece);
        }
        bytes
    };
    let (ended, bytes) = tokio::join!(reading, collected);
    ended?;
    assert_eq!(bytes, b"layer");
    Ok(())
}

async fn check_blob(registry: &Registry, at: &StandIn) -> Result<(), RegistryError> {
    let (from, digest) = (at.repository(SOURCE), manifest().digest());
    let layer = Descriptor::of("layer", b"layer");
    registry.check_blob(&from, &digest, &layer).await
}

/// Pushes an image in the order of a run: blobs, manifest by digest, read back, tag.
async fn push(
    kind: RegistryRequest,
    registry: &Registry,
    at: &StandIn,
) -> Result<(), RegistryError> {
    let (from, to) = (at.repository(SOURCE), at.repository(TARGET));
    let config = Upload {
        blob: &Descriptor::of("config", CONFIG.as_bytes()),
        origin: BlobOrigin::Bytes(CONFIG.as_bytes()),
    };
    let layer = Upload {
        blob: &Descriptor::of("layer", b"layer"),
        origin: match kind {
            RegistryRequest::Mount => BlobOrigin::Repository(&from),
            _ => BlobOrigin::Bytes(b"layer"),
        },
    };
    // Side by side they would be sent in any order.
    for upload in [config, layer] {
        registry.upload_all(&to, &[upload], &|_, _| ()).await?;
    }
    registry.put_by_digest(&to, &manifest()).await?;
    registry.image(&to, &manifest().digest()).await?;
    registry.put_manifest(&to, &new_tag(), &manifest()).await?;
    assert_pushed(at);
    Ok(())
}

/// A push that ended well has put everything in its place.
fn assert_pushed(at: &StandIn) {
    let kept = at.kept();
    let key = |text: &str| (TARGET.to_owned(), text.to_owned());
    let image = manifest();
    let digest = image.digest().to_string();
    assert_eq!(kept.tags.get(&key(NEW)), Some(&digest));
    assert_eq!(kept.manifests.get(&key(&digest)), Some(&image.bytes));
    for bytes in [CONFIG.as_bytes(), b"layer"] {
        let digest = Descriptor::of("blob", bytes).digest;
        let kept = kept.blobs.get(&key(digest.as_str()));
        assert_eq!(kept.map(Vec::as_slice), Some(bytes));
    }
}

async fn list_tags(registry: &Registry, at: &StandIn) -> Result<(), RegistryError> {
    let tags = registry.tags(&at.repository(SOURCE)).await?;
    assert_eq!(tags, [tag()]);
    Ok(())
}

async fn list_referrers(registry: &Registry, at: &StandIn) -> Result<(), RegistryError> {
    let (from, digest) = (at.repository(SOURCE), manifest().digest());
    let found = registry
        .referrers(&from, &digest, &["application/x"])
        .await?;
    assert!(found.is_empty());
    Ok(())
}
