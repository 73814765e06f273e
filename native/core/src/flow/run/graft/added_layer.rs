use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::delta::{DeltaError, ExportReader, take};
use super::memory::Memory;
use super::ungrafted::Ungrafted;
use crate::adapters::journal::JournalItem;
use crate::domain::engine::EngineImage;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::packed_layer::PackedLayer;
use crate::flow::facts::target::TargetFacts;
use crate::flow::run::cleanup::Undo;
use crate::flow::run::context::Run;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Returns the layer that falconutil added: known from before, or else taken out of the engine.
    pub(super) async fn packed_layer(
        &self,
        target: &TargetFacts,
        image: &str,
        layer: &str,
        spool: &Path,
        events: &StepEvents,
    ) -> Result<PackedLayer, Ungrafted> {
        let memory = Memory::of(&self.services.agent().journal_folder());
        if let Some(known) = memory.recall(layer)
            && self.is_in_target(target, &known).await?
        {
            events.note(format!(
                "the sensor's layer is known, and the registry has it: {}",
                known.digest
            ));
            return Ok(known);
        }
        let delta = self.export_layer(image, layer, spool, events).await?;
        // A layer that cannot be kept is made again the next time.
        let _ = memory.keep(layer, &delta);
        events.note(format!("the sensor's layer is {}", delta.digest));
        Ok(delta)
    }

    async fn is_in_target(
        &self,
        target: &TargetFacts,
        delta: &PackedLayer,
    ) -> Result<bool, Problem> {
        if target.is_missing {
            return Ok(false);
        }
        let registry = self.services.registry().await?;
        let held = registry.blob_size(&target.repository, &delta.digest).await;
        // A registry that does not answer now gives its reason when the layer is pushed.
        Ok(matches!(held, Ok(Some(size)) if size == delta.size))
    }

    /// Streams the image out of the engine to a thread that finds its layer and packs it.
    async fn export_layer(
        &self,
        image: &str,
        layer: &str,
        spool: &Path,
        events: &StepEvents,
    ) -> Result<PackedLayer, Ungrafted> {
        let engine = self.services.engine()?;
        let mut export = engine.export(image).await?;
        let (send, reader) = ExportReader::new();
        let (layer, spool) = (layer.to_owned(), spool.to_owned());
        let taking = tokio::task::spawn_blocking(move || take(reader, &layer, &spool));
        let mut passed = 0;
        while let Some(bytes) = engine.next_of(&mut export).await? {
            passed += bytes.len() as u64;
            events.progress(passed, None);
            // The reader that has found the layer listens no more.
            if send.send(bytes).await.is_err() {
                break;
            }
        }
        drop(send);
        let taken = taking.await;
        Ok(taken.map_err(|error| Obstacle::Unreadable(error.to_string()))??)
    }

    /// A folder for the layer alone, since the socket's is made and removed with the socket.
    pub(super) fn spool(&self) -> Result<PathBuf, Ungrafted> {
        let folder = self.folder().with_extension("layer");
        self.record(JournalItem::Folder {
            path: folder.clone(),
        })?;
        self.cleanup.push(Undo::Folder(folder.clone()));
        let created = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        created.map_err(|source| DeltaError::Spool {
            path: folder.clone(),
            source,
        })?;
        Ok(folder.join("layer.tar.gz"))
    }
}

/// Returns the digest of the one layer that is on the stub's own.
pub(super) fn added_layer<'a>(
    stub: &EngineImage,
    patched: &'a EngineImage,
) -> Result<&'a str, Obstacle> {
    match patched.diff_ids.strip_prefix(&stub.diff_ids[..]) {
        None => Err(Obstacle::StubLost),
        Some([layer]) => Ok(layer),
        Some(added) => Err(Obstacle::Layers { added: added.len() }),
    }
}
