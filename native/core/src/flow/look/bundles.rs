//! Reads the signed records of an image: every artifact beside it that may be a bundle, each at most so long.

use std::collections::HashSet;

use futures_util::stream;
use futures_util::stream::{StreamExt as _, TryStreamExt as _};

use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::RegistryError;
use crate::adapters::registry::referrers::EMPTY_TYPE;
use crate::domain::image::referrer::Referrer;
use crate::domain::provenance::bundle::{BUNDLE_LIMIT, BUNDLE_TYPE, BundleError};
use crate::domain::provenance::key::TrustedKey;
use crate::domain::provenance::known_records::{IgnoredRecord, IgnoredWhy, KnownRecords};
use crate::domain::provenance::record::{STATEMENT_TYPE, is_annotated};
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::fact::Fact;
use crate::report::problem::Problem;

/// The most artifacts of an image that are read; each takes two requests.
const BUNDLES: usize = 50;

/// Artifacts that are read at the same time.
const AT_ONCE: usize = 4;

/// The meaning of an artifact beside an image.
enum Found {
    Record(Box<Record>),
    Ignored(IgnoredRecord),
    /// Something else that is signed or attached in the same form.
    Other,
}

/// Reads the records of an image that one of the keys has signed.
///
/// # Errors
/// The registry does not answer. An artifact that it answers badly for is ignored, since all who can push can have put
/// it there.
pub(super) async fn read(
    registry: &Registry,
    repository: &Repository,
    image: &Digest,
    keys: &[TrustedKey],
) -> Fact<KnownRecords<Record>> {
    // cosign lists its own bundles under the type of their empty configuration where the registry has no list.
    let types = [BUNDLE_TYPE, EMPTY_TYPE, STATEMENT_TYPE];
    let listed = registry.listed_referrers(repository, image, &types).await?;
    let unreadable = listed.iter().filter(|one| one.is_err()).count();
    let mut seen = HashSet::new();
    let listed = listed
        .into_iter()
        .flatten()
        .filter(|one| seen.insert(one.digest.clone()));
    let (unsigned, mut bundles): (Vec<_>, Vec<_>) =
        listed.partition(|one| one.artifact_type == STATEMENT_TYPE);
    // Annotations are not signed: they give an order, and nothing is left out for them.
    bundles.sort_by_key(|one| !is_annotated(one));
    let unread = unreadable + bundles.len().saturating_sub(BUNDLES);
    bundles.truncate(BUNDLES);
    let read = bundles
        .into_iter()
        .map(|one| read_one(registry, repository, image, one, keys));
    let found: Vec<Found> = stream::iter(read).buffered(AT_ONCE).try_collect().await?;
    let mut known = KnownRecords {
        believed: Vec::new(),
        ignored: Vec::new(),
        unread,
    };
    for found in found {
        match found {
            Found::Record(record) => known.believed.push(*record),
            Found::Ignored(ignored) => known.ignored.push(ignored),
            Found::Other => {}
        }
    }
    let unsigned = unsigned.into_iter().filter(is_annotated);
    known.ignored.extend(unsigned.map(|one| IgnoredRecord {
        artifact: one.digest,
        is_ours: true,
        why: IgnoredWhy::Unsigned,
    }));
    Ok(known)
}

async fn read_one(
    registry: &Registry,
    repository: &Repository,
    image: &Digest,
    referrer: Referrer,
    keys: &[TrustedKey],
) -> Fact<Found> {
    let is_ours = is_annotated(&referrer);
    let artifact = referrer.digest;
    let ignored = |why| {
        Found::Ignored(IgnoredRecord {
            artifact: artifact.clone(),
            is_ours,
            why,
        })
    };
    let layer = match registry.artifact_layer(repository, &artifact).await {
        Ok(layer) => layer,
        Err(error) => return left_out(error).map(ignored),
    };
    if layer.media_type != BUNDLE_TYPE {
        return Ok(Found::Other);
    }
    if layer.size > BUNDLE_LIMIT {
        return Ok(ignored(IgnoredWhy::Bundle(BundleError::TooLarge(
            layer.size,
        ))));
    }
    let bytes = match registry.artifact_blob(repository, &artifact, &layer).await {
        Ok(bytes) => bytes,
        Err(error) => return left_out(error).map(ignored),
    };
    Ok(match Record::signed(&bytes, &artifact, image, keys) {
        Ok(Some(record)) => Found::Record(Box::new(record)),
        Ok(None) => Found::Other,
        Err(error) => ignored(IgnoredWhy::Bundle(error)),
    })
}

/// Leaves out an artifact that is not there or not what the list says. A registry in trouble is a failure.
fn left_out(error: RegistryError) -> Result<IgnoredWhy, Problem> {
    match &error {
        RegistryError::ImageNotFound { .. } | RegistryError::AnswerInvalid { .. } => {
            let problem = Problem::from(error);
            let texts = std::iter::once(problem.what).chain(problem.why);
            Ok(IgnoredWhy::Artifact(texts.collect::<Vec<_>>().join(": ")))
        }
        _ => Err(error.into()),
    }
}
