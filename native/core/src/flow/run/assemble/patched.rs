//! falconutil's result, compared with what it was built on, and put on the source.

use std::sync::Arc;

use super::added_files::Pair;
use super::failure::NotAssembled;
use super::ready_image::{PackedFile, ReadyImage, SensorLayer, SourceLayers};
use crate::domain::assembly::assembled::Assembled;
use crate::domain::assembly::change::Change;
use crate::domain::engine::EngineImage;
use crate::domain::image::proof::{Deviation, prove_layers};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::platform::Platform;
use crate::flow::facts::source::SourcePlace;
use crate::flow::plan::ready::Ready;
use crate::flow::run::context::Run;
use crate::flow::run::log::warn_of_additions;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Takes the sensor out of the image that falconutil built on the whole source.
    pub(in crate::flow::run) async fn assemble(
        &self,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let image = self.assemble_on_source(ready, events).await?;
        Ok(StepOutcome::Assembled(Box::new(image)))
    }

    async fn assemble_on_source(
        &self,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<ReadyImage, NotAssembled> {
        let folder = self.spool()?;
        let (source, layers) = match &ready.source.place {
            SourcePlace::Registry {
                repository, image, ..
            } => (image.clone(), SourceLayers::Repository(repository.clone())),
            SourcePlace::Engine { id } => self.export_source(id, &folder, events).await?,
        };
        let before = self.source_name(ready);
        let after = self.patched_name();
        let pair = Pair {
            before: &before,
            after: &after,
        };
        let image = self.engine_image(pair.before).await?;
        if image.diff_ids != source.diff_ids() {
            let why = "the engine's copy of the source has other layers than the source";
            return Err(Deviation::new(why.to_owned()).into());
        }
        self.assemble_on(source, layers, pair, ready, events).await
    }

    /// Compares what falconutil built with what it was built on, and makes the same change to the source.
    pub(in crate::flow::run) async fn assemble_on(
        &self,
        source: Arc<RegistryImage>,
        source_layers: SourceLayers,
        pair: Pair<'_>,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<ReadyImage, NotAssembled> {
        let before = self.engine_image(pair.before).await?;
        let after = self.engine_image(pair.after).await?;
        require_arm64(&after)?;
        // From here on by their IDs: what is compared, looked at and packed is one image, whatever happens to its name.
        let pair = Pair {
            before: &before.id,
            after: &after.id,
        };
        let added = prove_layers(&before.diff_ids, &after.diff_ids)?;
        let change = Change::between(&before.config, &after.config)?;
        self.check_added_files(pair, added, events).await?;
        let sensor_layer = self.spool()?.join("sensor");
        let packed = self.sensor_layer(pair.after, &sensor_layer, events).await?;
        let assembled = Assembled::of(&source, &change, &packed).map_err(|error| {
            Deviation::new(format!("the source's manifest cannot be read: {error}"))
        })?;
        warn_of_additions(&assembled.prove(&source, &ready.options)?, events);
        events.note(format!("linux/arm64, {} layers of the source and one of the sensor, Falcon's entrypoint in front, and all else in the source's configuration is kept", source.layers.len()));
        Ok(ReadyImage {
            source,
            source_layers,
            assembled,
            sensor_layer: SensorLayer::Packed(PackedFile {
                file: sensor_layer,
                layer: packed,
                change,
            }),
        })
    }
}

fn require_arm64(image: &EngineImage) -> Result<(), Deviation> {
    if image.platform == Platform::linux_arm64() {
        return Ok(());
    }
    let platform = &image.platform;
    Err(Deviation::new(format!(
        "its platform is {platform}, not linux/arm64"
    )))
}
