//! A memory of layers that were written anew on this agent before.

use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::{Deserialize, Serialize};

use crate::domain::graft::layer::VERSION;
use crate::domain::graft::packed_layer::PackedLayer;

/// Layers that are remembered: one for each sensor, and teams use few at a time.
const KEPT: usize = 16;

/// Remembers a layer by the layer that it was written from, so that the memory cannot be out of date: the
/// same layer, written anew by the same code, has the same digest.
///
/// An agent runs one job at a time, and a lost entry only costs time.
#[derive(Debug)]
pub(crate) struct Memory {
    file: PathBuf,
}

/// A layer before and after it was written anew.
#[derive(Serialize, Deserialize)]
struct Known {
    version: u32,
    layer: String,
    diff_id: String,
    digest: String,
    size: u64,
}

impl Memory {
    /// The memory in a folder that stays, and to which only this task writes.
    pub(crate) fn of(folder: &Path) -> Self {
        Self {
            file: folder.join("layers.json"),
        }
    }

    /// Returns the new layer for the one whose digest, unpacked, is this one.
    pub(crate) fn recall(&self, layer: &str) -> Option<PackedLayer> {
        let known = self.read();
        let known = known.into_iter().find(|known| known.layer == layer)?;
        Some(PackedLayer {
            diff_id: known.diff_id.parse().ok()?,
            digest: known.digest.parse().ok()?,
            size: known.size,
        })
    }

    /// Keeps the new layer for another.
    pub(crate) fn keep(&self, layer: &str, delta: &PackedLayer) -> io::Result<()> {
        let mut known = self.read();
        known.retain(|known| known.layer != layer);
        known.truncate(KEPT - 1);
        known.insert(
            0,
            Known {
                version: VERSION,
                layer: layer.to_owned(),
                diff_id: delta.diff_id.to_string(),
                digest: delta.digest.to_string(),
                size: delta.size,
            },
        );
        // A reader sees the old file or the new one, never a part.
        let new = self.file.with_extension("new");
        fs::write(&new, serde_json::to_vec(&known)?)?;
        fs::rename(&new, &self.file)
    }

    /// Reads the known layers; a file that cannot be read counts as empty.
    fn read(&self) -> Vec<Known> {
        let bytes = fs::read(&self.file).unwrap_or_default();
        let mut known: Vec<Known> = serde_json::from_slice(&bytes).unwrap_or_default();
        known.retain(|known| known.version == VERSION);
        known
    }
}
