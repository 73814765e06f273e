//! Looks for the signature of an entry of the graft cache.

use crate::adapters::registry::client::Registry;
use crate::adapters::registry::error::RegistryError;
use crate::adapters::registry::referrers::EMPTY_TYPE;
use crate::domain::graft::entry_signature::{is_annotated, signer_of};
use crate::domain::image::referrer::Referrer;
use crate::domain::provenance::bundle::{BUNDLE_LIMIT, BUNDLE_TYPE};
use crate::domain::provenance::key::TrustedKey;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The most artifacts beside an entry that are read; each takes two requests.
const BUNDLES: usize = 50;

/// Finds the trusted key that has signed an entry.
///
/// # Errors
/// The registry does not answer; or, as the inner error, a phrase on why no bundle proves it.
pub(super) async fn signer(
    registry: &Registry,
    repository: &Repository,
    entry: &Digest,
    keys: &[TrustedKey],
) -> Result<Result<String, String>, RegistryError> {
    let types = [BUNDLE_TYPE, EMPTY_TYPE];
    let listed = registry.listed_referrers(repository, entry, &types).await?;
    // An entry of the list that cannot be read hides none of the others.
    let mut listed: Vec<Referrer> = listed.into_iter().flatten().collect();
    // Annotations are not signed: they give an order, and nothing is left out for them.
    listed.sort_by_key(|one| !is_annotated(one));
    let mut why = match listed.len().checked_sub(BUNDLES) {
        Some(unread @ 1..) => format!("{unread} artifacts beside it were not read"),
        _ => "no signature is beside it".to_owned(),
    };
    for one in listed.iter().take(BUNDLES) {
        let layer = match registry.artifact_layer(repository, &one.digest).await {
            Ok(layer) if layer.media_type == BUNDLE_TYPE && layer.size <= BUNDLE_LIMIT => layer,
            Ok(_) => continue,
            Err(error) => {
                why = left_out(error)?;
                continue;
            }
        };
        let bundle = registry.artifact_blob(repository, &one.digest, &layer);
        let bundle = match bundle.await {
            Ok(bundle) => bundle,
            Err(error) => {
                why = left_out(error)?;
                continue;
            }
        };
        match signer_of(&bundle, entry, keys) {
            Ok(Some(key)) => return Ok(Ok(key.to_owned())),
            Ok(None) => {}
            Err(error) => why = error.to_string(),
        }
    }
    Ok(Err(why))
}

/// Leaves out an artifact that is not there or not what the list says. A registry in trouble is a failure.
fn left_out(error: RegistryError) -> Result<String, RegistryError> {
    match &error {
        RegistryError::ImageNotFound { source, .. }
        | RegistryError::AnswerInvalid { source, .. } => Ok(source.to_string()),
        _ => Err(error),
    }
}
