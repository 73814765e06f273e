use std::io::{self, Read};

use super::answer::{Absence, FoundFile, Obstacle, SensorFiles};
use super::budget::Budget;
use super::decoder::Unpacked;
use super::file_copy::FileCopy;
use super::layer_tree::{LayerTree, Sight};
use super::tar_entries;
use super::walk::{Name, Walk, shown};
use crate::domain::image::descriptor::Descriptor;
use crate::domain::reference::digest::Digest;

/// The media types of layers that engines unpack; the first bytes of a layer show how it is packed.
const LAYERS: [&str; 5] = [
    "application/vnd.docker.image.rootfs.diff.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip",
    "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.oci.image.layer.v1.tar+zstd",
];

/// Search for the file that an entrypoint names, in the layers of an image, from the top.
///
/// Each layer is read to its end, because nothing of it counts before its digests are those of the manifest and the
/// configuration. No layer is read once the layers above it show the answer.
#[derive(Debug)]
pub struct Search {
    entrypoint: String,
    /// True if the layers may have the sensor's files and no others.
    sensor_only: bool,
    budget: Budget,
    /// The copy of a file, where one is wanted.
    copy: Option<FileCopy>,
    /// The layers that were read, the topmost first.
    layers: Vec<(Digest, LayerTree)>,
}

impl Search {
    /// Begins a search for the file at an absolute path.
    #[must_use]
    pub fn new(entrypoint: &str) -> Self {
        Self::within(Budget::default(), entrypoint)
    }

    /// Begins a search in the layers that a patch added, which have the sensor's files alone.
    #[must_use]
    pub fn of_added(entrypoint: &str) -> Self {
        Self {
            sensor_only: true,
            ..Self::new(entrypoint)
        }
    }

    /// The same search, which copies a file on its way.
    #[must_use]
    pub fn copying(self, copy: FileCopy) -> Self {
        Self {
            copy: Some(copy),
            ..self
        }
    }

    /// The copy, at the end of the search; none where none was wanted.
    #[must_use]
    pub fn into_copy(self) -> Option<FileCopy> {
        self.copy
    }

    pub(super) fn within(budget: Budget, entrypoint: &str) -> Self {
        Self {
            entrypoint: entrypoint.to_owned(),
            sensor_only: false,
            budget,
            copy: None,
            layers: Vec::new(),
        }
    }

    /// Checks that the next layer can and may be read, before it costs anything.
    ///
    /// # Errors
    /// The reason why the search ends here.
    pub fn admit(&mut self, layer: &Descriptor) -> Result<(), Obstacle> {
        let digest = || layer.digest.clone();
        if !self.entrypoint.starts_with('/') {
            return Err(Obstacle::NotAbsolute(self.entrypoint.clone()));
        }
        if layer.is_foreign() {
            return Err(Obstacle::Foreign { layer: digest() });
        }
        if !LAYERS.contains(&layer.media_type.as_str()) {
            return Err(Obstacle::MediaType {
                layer: digest(),
                media_type: layer.media_type.clone(),
            });
        }
        let left = self.budget.packed.checked_sub(layer.size);
        self.budget.packed = left.ok_or_else(|| Obstacle::PackedLimit { layer: digest() })?;
        Ok(())
    }

    /// Reads the next layer below those that were read. `diff_id` is the digest that its unpacked bytes must have.
    /// Blocks, and reads `packed` to its end unless a limit is reached.
    ///
    /// # Errors
    /// The reason why the search ends here.
    pub fn read(
        &mut self,
        mut packed: impl Read,
        layer: &Digest,
        diff_id: &str,
    ) -> Result<(), Obstacle> {
        let read = self.unpack(&mut packed, layer, diff_id);
        if !matches!(&read, Err(obstacle) if obstacle.is_limit()) {
            // Only the one who sends them can see that bytes are wrong or missing, and does so at their end.
            io::copy(&mut packed, &mut io::sink())?;
        }
        let read = read.map_err(|obstacle| match obstacle {
            Obstacle::Unreadable(why) => Obstacle::Unreadable(format!("{why} ({layer})")),
            other => other,
        });
        self.layers.push((layer.clone(), read?));
        Ok(())
    }

    fn unpack(
        &mut self,
        packed: &mut dyn Read,
        layer: &Digest,
        diff_id: &str,
    ) -> Result<LayerTree, Obstacle> {
        let mut unpacked = Unpacked::new(packed, self.budget.unpacked)?;
        let mut tree = LayerTree::default();
        let budget = &mut self.budget;
        let copy = &mut self.copy;
        tar_entries::each(&mut unpacked, &mut |entry, content| {
            if let Some(copy) = copy {
                copy.take(entry, content)?;
            }
            tree.add(entry, budget)
        })?;
        // The bytes after the last entry belong to the digest too.
        let (found, left) = unpacked.finish()?;
        self.budget.unpacked = left;
        if found.as_str() != diff_id {
            return Err(Obstacle::DiffId {
                layer: layer.clone(),
                found,
                expected: diff_id.to_owned(),
            });
        }
        Ok(tree)
    }

    /// A file that an added layer must not have.
    fn foreign(&self) -> Option<Absence> {
        let mut layers = self.layers.iter().filter(|_| self.sensor_only);
        layers.find_map(|(layer, tree)| {
            Some(Absence::Foreign {
                path: tree.foreign()?.to_owned(),
                layer: layer.clone(),
            })
        })
    }

    /// The answer that the layers read so far give; none if a layer below decides.
    #[must_use]
    pub fn answer(&self) -> Option<SensorFiles> {
        if let Some(absence) = self.foreign() {
            return Some(SensorFiles::Missing(absence));
        }
        let mut walk = Walk::new(self.entrypoint.as_bytes());
        let mut last = None;
        while walk.advance() {
            let (layer, sight) = self.see(walk.at())?;
            let path = || shown(walk.at().iter());
            let other = |kind| Absence::Other {
                path: path(),
                kind,
                layer: layer.clone(),
            };
            let absence = match sight {
                Sight::File(0) if walk.is_last() => other("an empty file"),
                Sight::File(bytes) if walk.is_last() => {
                    return Some(SensorFiles::Present(FoundFile {
                        path: path(),
                        bytes,
                        layer: layer.clone(),
                    }));
                }
                Sight::File(_) => other("a file and not a folder"),
                Sight::Other(kind) => other(kind),
                Sight::Link(target) => {
                    if walk.follow(target) {
                        continue;
                    }
                    let path = self.entrypoint.clone();
                    Absence::Circle { path }
                }
                Sight::Removed | Sight::Unmentioned => Absence::Removed {
                    path: path(),
                    layer: layer.clone(),
                },
                Sight::Folder => {
                    last = Some(layer);
                    continue;
                }
            };
            return Some(SensorFiles::Missing(absence));
        }
        let path = self.entrypoint.clone();
        let kind = "a folder";
        Some(SensorFiles::Missing(match last.cloned() {
            Some(layer) => Absence::Other { path, kind, layer },
            None => Absence::Nowhere { path },
        }))
    }

    /// The answer after the last layer.
    #[must_use]
    pub fn end(&self) -> SensorFiles {
        let path = self.entrypoint.clone();
        self.answer()
            .unwrap_or(SensorFiles::Missing(Absence::Nowhere { path }))
    }

    /// Content of the image at a path, and the topmost layer that has something to say about it.
    fn see(&self, path: &[Name]) -> Option<(&Digest, Sight<'_>)> {
        let mut sights = self
            .layers
            .iter()
            .map(|(digest, tree)| (digest, tree.see(path)));
        sights.find(|(_, sight)| *sight != Sight::Unmentioned)
    }
}
