use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use crate::adapters::registry::blob_stream::BlobOrigin;
use crate::adapters::registry::upload::Upload;
use crate::domain::assembly::assembled::Assembled;
use crate::domain::assembly::change::Change;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;

/// An image that was compared with its source and is ready to be pushed.
#[derive(Debug)]
pub struct ReadyImage {
    /// The source's manifest and configuration.
    pub(in crate::flow::run) source: Arc<RegistryImage>,
    pub(super) source_layers: SourceLayers,
    pub(super) assembled: Assembled,
    pub(super) sensor_layer: SensorLayer,
}

/// The place of the layer with the sensor.
#[derive(Debug)]
pub(super) enum SensorLayer {
    /// It was packed to a file.
    Packed(PackedFile),
    /// The target's repository has it.
    InTarget,
}

/// The layer that falconutil added, packed to a file, with the change that it made.
#[derive(Debug)]
pub(in crate::flow::run) struct PackedFile {
    pub(super) file: PathBuf,
    pub(in crate::flow::run) layer: PackedLayer,
    pub(in crate::flow::run) change: Change,
}

impl ReadyImage {
    /// The image that an entry of the graft cache makes, whose layer the target's repository has.
    pub(in crate::flow::run) fn cached(
        source: Arc<RegistryImage>,
        repository: Repository,
        assembled: Assembled,
    ) -> Self {
        Self {
            source,
            source_layers: SourceLayers::Repository(repository),
            assembled,
            sensor_layer: SensorLayer::InTarget,
        }
    }

    /// The layer that this run packed; none where it came from the cache.
    pub(in crate::flow::run) fn packed(&self) -> Option<&PackedFile> {
        match &self.sensor_layer {
            SensorLayer::Packed(packed) => Some(packed),
            SensorLayer::InTarget => None,
        }
    }

    /// Lists the uploads that a repository needs, and counts the layers that it is known to have: a manifest shows those
    /// of a source that is in the same repository.
    pub(super) fn uploads_to(&self, target: &Repository) -> (Vec<Upload<'_>>, usize) {
        let mut uploads = self.source_layers.uploads(&self.source);
        let mut known = 0;
        if matches!(&self.source_layers, SourceLayers::Repository(own) if own == target) {
            known += uploads.len();
            uploads.clear();
        }
        match &self.sensor_layer {
            SensorLayer::Packed(packed) => uploads.push(Upload {
                blob: &self.assembled.layer,
                origin: BlobOrigin::File(&packed.file),
            }),
            SensorLayer::InTarget => known += 1,
        }
        (uploads, known)
    }
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
