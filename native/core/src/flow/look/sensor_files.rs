//! Searches the layers of an image in a registry.

use std::panic::resume_unwind;

use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use super::piece_reader::PieceReader;
use crate::adapters::registry::client::Registry;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::sensor_files::answer::{Obstacle, SensorFiles};
use crate::domain::image::sensor_files::search::Search;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::fact::Fact;

/// Pieces of a layer that may wait for the thread that unpacks it.
const WAITING: usize = 16;

/// Searches an image for the file that its entrypoint names, an absolute path, without its `below` lowest layers.
///
/// Layers are streamed from the top, unpacked in a thread of their own, and kept nowhere. Those below the first that
/// shows the answer are not read.
///
/// # Errors
/// The registry's refusal or failure, or bytes that are not the layer's. For what cannot be searched the answer is
/// [`SensorFiles::Unknown`].
pub async fn sensor_files(
    registry: &Registry,
    repository: &Repository,
    image: &RegistryImage,
    entrypoint: &str,
    below: usize,
) -> Fact<SensorFiles> {
    let search = if below > 0 {
        Search::of_added(entrypoint)
    } else {
        Search::new(entrypoint)
    };
    let searched = search_layers(registry, repository, image, below, search);
    Ok(searched.await?.answer)
}

/// The end of a search in layers.
pub struct SearchedLayers {
    /// The answer.
    pub answer: SensorFiles,
    /// The search, which may have copied a file.
    pub search: Search,
}

/// Carries a search out, as [`sensor_files`] does.
///
/// # Errors
/// As there.
pub async fn search_layers(
    registry: &Registry,
    repository: &Repository,
    image: &RegistryImage,
    below: usize,
    mut search: Search,
) -> Fact<SearchedLayers> {
    let diff_ids = image.diff_ids();
    let (named, listed) = (diff_ids.len(), image.layers.len());
    if named != listed {
        let answer = SensorFiles::Unknown(Obstacle::LayersDiffer { named, listed });
        return Ok(SearchedLayers { answer, search });
    }
    let layers = std::iter::zip(&image.layers, diff_ids).skip(below);
    for (layer, diff_id) in layers.rev() {
        let read = match search.admit(layer) {
            Ok(()) => {
                let layers = Layers {
                    registry,
                    repository,
                    image,
                };
                let (back, read) = layers.read(layer, diff_id, search).await?;
                search = back;
                read
            }
            refused => refused,
        };
        if let Err(obstacle) = read {
            let answer = SensorFiles::Unknown(obstacle);
            return Ok(SearchedLayers { answer, search });
        }
        if let Some(answer) = search.answer() {
            return Ok(SearchedLayers { answer, search });
        }
    }
    let answer = search.end();
    Ok(SearchedLayers { answer, search })
}

/// The layers of an image in its registry.
struct Layers<'a> {
    registry: &'a Registry,
    repository: &'a Repository,
    image: &'a RegistryImage,
}

impl Layers<'_> {
    /// Has a thread read a layer while it arrives, and returns the search with what it found there.
    async fn read(
        &self,
        layer: &Descriptor,
        diff_id: String,
        mut search: Search,
    ) -> Fact<(Search, Result<(), Obstacle>)> {
        let (send, pieces) = mpsc::channel(WAITING);
        let digest = layer.digest.clone();
        let unpacking = spawn_blocking(move || {
            let read = search.read(PieceReader::new(pieces), &digest, &diff_id);
            (search, read)
        });
        let image = &self.image.digest;
        let arriving = self.registry.read_blob(self.repository, image, layer, send);
        let (arrived, unpacked) = tokio::join!(arriving, unpacking);
        // Bytes that did not arrive, or are others, explain more than what was made of them.
        arrived?;
        Ok(unpacked.unwrap_or_else(|error| resume_unwind(error.into_panic())))
    }
}

#[cfg(test)]
mod tests;
