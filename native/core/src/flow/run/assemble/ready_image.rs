use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::adapters::registry::blob_stream::BlobOrigin;
use crate::adapters::registry::upload::Upload;
use crate::domain::assembly::assembled::Assembled;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;

/// An image that was compared with its source and is ready to be pushed.
#[derive(Debug)]
pub struct ReadyImage {
    /// The source's manifest and configuration.
    pub(in crate::flow::run) source: Arc<RegistryImage>,
    pub(super) source_layers: SourceLayers,
    pub(super) assembled: Assembled,
    /// The file of the added layer.
    pub(super) sensor_layer: PathBuf,
}

/// The place of the source's layers.
#[derive(Debug)]
pub(in crate::flow::run) enum SourceLayers {
    /// They are in this repository.
    Repository(Repository),
    /// They were exported to these files, one for each layer.
    Files(Vec<PathBuf>),
}

impl SourceLayers {
    /// Lists the uploads of a source's layers, each once. Registries do not hold foreign ones.
    pub(in crate::flow::run) fn uploads<'a>(
        &'a self,
        source: &'a RegistryImage,
    ) -> Vec<Upload<'a>> {
        let origins: Vec<BlobOrigin<'_>> = match self {
            Self::Repository(repository) => {
                vec![BlobOrigin::Repository(repository); source.layers.len()]
            }
            Self::Files(files) => files.iter().map(|file| BlobOrigin::File(file)).collect(),
        };
        let mut listed = HashSet::new();
        std::iter::zip(&source.layers, origins)
            .filter(|(blob, _)| !blob.is_foreign() && listed.insert(&blob.digest))
            .map(|(blob, origin)| Upload { blob, origin })
            .collect()
    }
}
