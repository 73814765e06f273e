//! Grafting: patching an image whose layers never leave the registry.
//!
//! 1. falconutil patches a [`stub`]: an image with the source's configuration and one empty layer.
//! 2. The one layer that it added is read from the engine and written anew ([`delta`], [`layer`]),
//!    so that the same sensor results in the same bytes.
//! 3. That layer and what falconutil changed in the configuration are put on the source's own
//!    manifest ([`assemble`]).
//!
//! An [`Obstacle`] rules a graft out, and `strategy: full` is used then. Nothing in here knows falconutil's
//! rules: its changes to the stub are applied to the source.

use std::sync::Arc;

use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::source::{SourceFacts, SourcePlace};

/// A source that can be grafted, as far as that is known before falconutil has run.
#[derive(Clone, Debug)]
pub struct GraftSource<'a> {
    /// The repository that has its layers.
    pub(crate) repository: &'a Repository,
    /// Its manifest and configuration.
    pub(crate) image: &'a Arc<RegistryImage>,
}

impl<'a> GraftSource<'a> {
    /// Looks for an obstacle to grafting a source.
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
