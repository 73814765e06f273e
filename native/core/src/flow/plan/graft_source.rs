//! Finds what rules out a graft before falconutil has run.

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
