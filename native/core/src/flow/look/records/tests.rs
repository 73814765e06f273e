mod annotations;
mod bundles;
mod statements;

use super::RecordLookup;
use crate::domain::provenance::key::Trust;
use crate::domain::reference::digest::Digest;
use crate::test_support::loopback_registry::LoopbackRegistry;

/// The lookup of the records of an image in a registry.
fn lookup<'a>(
    registry: &'a LoopbackRegistry,
    image: &'a Digest,
    trust: &'a Trust,
) -> RecordLookup<'a> {
    RecordLookup {
        registry: &registry.client,
        repository: &registry.repository,
        image,
        trust,
    }
}
