//! A source that is in the engine alone, as the image that a registry would have.

use std::collections::HashMap;
use std::io::{self, BufRead, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use serde_json::{Value, json};

use super::export::{Exported, each_file};
use super::failure::{NotAssembled, ResultError, SpoolError};
use super::pack::{NotPacked, create, pack};
use super::ready_image::SourceLayers;
use crate::domain::assembly::assembled::descriptor;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{OCI_CONFIG, OCI_GZIP_LAYER, OCI_MANIFEST, RawManifest};
use crate::domain::image::registry_image::{RegistryImage, diff_ids, well_formed};
use crate::domain::image::twin_keys::refuse_twin_keys;
use crate::domain::reference::hashing::Hashing;
use crate::flow::run::context::Run;
use crate::report::event::StepEvents;

/// Bytes that a document of an export may have.
const DOCUMENT: u64 = 8 * 1024 * 1024;

/// An exported image: its documents by their names, and its layers by their digests unpacked.
#[derive(Default)]
pub(super) struct Image {
    documents: HashMap<String, Vec<u8>>,
    layers: HashMap<String, (PackedLayer, PathBuf)>,
}

/// A file of an export that cannot be stored.
enum Unstored {
    Export(io::Error),
    File(SpoolError),
}

impl From<io::Error> for Unstored {
    fn from(error: io::Error) -> Self {
        Self::Export(error)
    }
}

impl Run {
    /// Exports an image of the engine to files, and describes it as a registry would.
    pub(in crate::flow::run) async fn export_source(
        &self,
        id: &str,
        folder: &Path,
        events: &StepEvents,
    ) -> Result<(Arc<RegistryImage>, SourceLayers), NotAssembled> {
        let export = self.services.engine()?.export(id).await?;
        let folder = folder.to_owned();
        let image = self
            .read_download(export, events, move |export| store(export, &folder))
            .await?;
        let (image, files) = describe(&image).map_err(|why| ResultError::Unreadable { why })?;
        events.note(format!("{} layers of the source exported", files.len()));
        Ok((Arc::new(image), SourceLayers::Files(files)))
    }
}

/// Stores the layers of an export, packed, and keeps its documents. Blocks.
pub(super) fn store(export: impl Read, folder: &Path) -> Result<Image, NotAssembled> {
    let mut image = Image::default();
    let mut count = 0;
    let stored = each_file(export, |name, file| {
        let path = folder.join(format!("source-{count}"));
        count += 1;
        let layer = match file {
            Exported::Json(file) => {
                let mut bytes = Vec::new();
                file.take(DOCUMENT + 1).read_to_end(&mut bytes)?;
                if bytes.len() as u64 <= DOCUMENT {
                    image.documents.insert(name.to_owned(), bytes);
                }
                return Ok(());
            }
            Exported::Gzip(file) => keep(file, &path)?,
            Exported::Plain(file) => {
                pack(&path, |out| io::copy(file, out).map(|_| ())).map_err(|error| match error {
                    NotPacked::Layer(error) => Unstored::Export(error),
                    NotPacked::File(source) => unwritable(&path, source),
                })?
            }
        };
        image
            .layers
            .insert(layer.diff_id.to_string(), (layer, path));
        Ok::<_, Unstored>(())
    });
    match stored {
        Ok(()) => Ok(image),
        Err(Unstored::File(error)) => Err(error.into()),
        Err(Unstored::Export(error)) => Err(ResultError::Unreadable {
            why: error.to_string(),
        }
        .into()),
    }
}

/// Stores a packed layer as it is, and unpacks it on its way for its other digest.
fn keep(file: &mut dyn BufRead, path: &Path) -> Result<PackedLayer, Unstored> {
    let to = create(path).map_err(|source| unwritable(path, source))?;
    let mut packed = Hashing::new(Copying { from: file, to });
    let mut unpacked = Hashing::new(MultiGzDecoder::new(&mut packed));
    io::copy(&mut unpacked, &mut io::sink())?;
    let diff_id = unpacked.digest();
    drop(unpacked);
    io::copy(&mut packed, &mut io::sink())?;
    Ok(PackedLayer {
        diff_id,
        digest: packed.digest(),
        size: packed.bytes,
    })
}

fn unwritable(path: &Path, source: io::Error) -> Unstored {
    Unstored::File(SpoolError {
        path: path.to_owned(),
        source,
    })
}

/// Writes what is read to a file as well.
struct Copying<'a> {
    from: &'a mut dyn BufRead,
    to: std::fs::File,
}

impl Read for Copying<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.to.write_all(&buffer[..read])?;
        Ok(read)
    }
}

/// Describes the one image of an export, with a manifest of its own; the files are its layers', lowest first.
pub(super) fn describe(image: &Image) -> Result<(RegistryImage, Vec<PathBuf>), String> {
    let list: Value = document(image, "manifest.json")?;
    let name = list[0]["Config"].as_str();
    let name = name.ok_or("its `manifest.json` names no configuration")?;
    let bytes = image.documents.get(name);
    let config_bytes = bytes.ok_or("it lacks its configuration")?.clone();
    refuse_twin_keys(&config_bytes).map_err(|why| format!("its configuration {why}"))?;
    let config = well_formed(document(image, name)?)?;
    let (mut layers, mut files) = (Vec::new(), Vec::new());
    for diff_id in diff_ids(&config) {
        let layer = image.layers.get(&diff_id);
        let (layer, file) = layer.ok_or_else(|| format!("it lacks the layer {diff_id}"))?;
        layers.push(Descriptor {
            media_type: OCI_GZIP_LAYER.to_owned(),
            digest: layer.digest.clone(),
            size: layer.size,
        });
        files.push(file.clone());
    }
    let config_descriptor = Descriptor::of(OCI_CONFIG, &config_bytes);
    let listed: Vec<Value> = layers.iter().map(descriptor).collect();
    let manifest = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": descriptor(&config_descriptor),
        "layers": listed,
    });
    let manifest = RawManifest {
        media_type: OCI_MANIFEST.to_owned(),
        bytes: manifest.to_string().into_bytes(),
    };
    let image = RegistryImage {
        digest: manifest.digest(),
        manifest,
        config_descriptor,
        layers,
        config,
        config_bytes,
    };
    Ok((image, files))
}

fn document(image: &Image, name: &str) -> Result<Value, String> {
    let bytes = image.documents.get(name);
    let bytes = bytes.ok_or_else(|| format!("it lacks `{name}`"))?;
    serde_json::from_slice(bytes).map_err(|error| format!("its `{name}` is not JSON: {error}"))
}
