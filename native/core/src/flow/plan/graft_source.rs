//! Grafting: patching an image whose layers never leave the registry.
//!
//! 1. falconutil patches a [`stub`]: an image with the source's configuration and one empty layer.
//! 2. The one layer that it added is taken out of the engine and written anew ([`delta`], [`layer`]),
//!    so that the same sensor gives the same bytes.
//! 3. That layer and what falconutil changed in the configuration are put on the source's own
//!    manifest ([`assemble`]).
//!
//! What must hold for it is an [`Obstacle`] where it does not; the full way is open then. Nothing in
//! here knows falconutil's rules: what it does to the stub is what is done to the source.

use std::sync::Arc;

use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::source::{SourceFacts, SourcePlace};

/// A source that can be grafted, as far as it shows before falconutil has worked.
#[derive(Clone, Debug)]
pub struct GraftSource<'a> {
    /// Where its layers are.
    pub(crate) repository: &'a Repository,
    /// Its manifest and configuration.
    pub(crate) image: &'a Arc<RegistryImage>,
}

impl<'a> GraftSource<'a> {
    /// Looks for what forbids to graft a source.
    ///
    /// # Errors
    /// The first obstacle.
    pub(crate) fn of(source: &'a SourceFacts) -> Result<Self, Obstacle> {
        let SourcePlace::Registry {
            repository, image, ..
        } = &source.place
        else {
            return Err(Obstacle::SourceInEngine);
        };
        let triggers = image.runtime_config()["OnBuild"].as_array();
        if triggers.is_some_and(|triggers| !triggers.is_empty()) {
            return Err(Obstacle::OnBuild);
        }
        let (told, held) = (image.diff_ids().len(), image.layers.len());
        if told != held {
            return Err(Obstacle::LayersUncounted { told, held });
        }
        Ok(Self { repository, image })
    }
}
