//! The sensor's folder of a patched image, as the layer that is pushed.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Seek as _, Write as _};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use super::export::DownloadReader;
use super::failure::{NotAssembled, ResultError, SpoolError};
use super::pack::{NotPacked, create, pack};
use crate::adapters::engine::container::spec::ContainerSpec;
use crate::adapters::journal::JournalItem;
use crate::domain::assembly::layer_check::LIMIT;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::assembly::sensor_folder::SensorFolder;
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, SENSOR_FOLDER};
use crate::domain::image::proof::FALCON_VARIABLES;
use crate::domain::platform::Platform;
use crate::flow::run::cleanup::Undo;
use crate::flow::run::context::Run;
use crate::report::event::StepEvents;

impl Run {
    /// Takes the sensor's folder out of an image and packs it to `file`, with a container that is never started.
    pub(super) async fn sensor_layer(
        &self,
        image: &str,
        file: &Path,
        events: &StepEvents,
    ) -> Result<PackedLayer, NotAssembled> {
        let engine = self.services.engine()?;
        // The image's variables hold the customer ID and the options, of which this container needs nothing.
        let empty = |name: &&str| ((*name).to_owned(), String::new());
        let spec = ContainerSpec {
            env: FALCON_VARIABLES.iter().map(empty).collect(),
            ..self.container("files", image.to_owned(), Platform::linux_arm64())
        };
        self.cleanup.push(Undo::Container(spec.name.clone()));
        engine.create_idle(&spec).await?;
        let layer = self.layer_of(&spec.name, file, events).await;
        let removed = engine.remove_container(&spec.name).await;
        let layer = layer?;
        removed?;
        events.note(format!("the sensor's layer is {}", layer.digest));
        Ok(layer)
    }

    async fn layer_of(
        &self,
        container: &str,
        file: &Path,
        events: &StepEvents,
    ) -> Result<PackedLayer, NotAssembled> {
        let engine = self.services.engine()?;
        // Where a folder above is a link, the builder has put the files where it leads.
        let above = engine.link_target(container, "/opt").await?;
        let path = format!("{}/CrowdStrike", above.as_deref().unwrap_or("/opt"));
        let archive = engine.archive(container, SENSOR_FOLDER).await?;
        let archive = archive.ok_or_else(|| ResultError::NoSensor {
            why: format!("`{SENSOR_FOLDER}` is not there"),
        })?;
        let to = file.to_owned();
        self.read_download(archive, events, move |archive| layer(archive, &path, &to))
            .await
    }

    /// Creates the folder for layers alone, since the socket's is created and removed with the socket.
    pub(in crate::flow::run) fn spool(&self) -> Result<PathBuf, NotAssembled> {
        let folder = self.folder().with_extension("layers");
        self.record(JournalItem::Folder {
            path: folder.clone(),
        })?;
        self.cleanup.push(Undo::Folder(folder.clone()));
        let created = DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(&folder);
        created.map_err(|source| SpoolError {
            path: folder.clone(),
            source,
        })?;
        Ok(folder)
    }
}

/// Writes the archive to the disk, reads its entries, and packs them anew. Blocks.
fn layer(archive: DownloadReader, path: &str, to: &Path) -> Result<PackedLayer, NotAssembled> {
    let spool = to.with_extension("archive");
    let file = store(archive, &spool)?;
    let folder = SensorFolder::read(path, &file)?;
    let entrypoint = FALCON_ENTRYPOINT.trim_start_matches(SENSOR_FOLDER);
    folder
        .require_file(entrypoint.trim_start_matches('/'))
        .map_err(|why| ResultError::NoSensor { why })?;
    let packed = pack::<io::Error>(to, |out| folder.write(&mut &file, out));
    let removed = std::fs::remove_file(&spool);
    let packed = packed.map_err(|error| match error {
        NotPacked::Layer(error) => NotAssembled::from(ResultError::Unreadable {
            why: error.to_string(),
        }),
        NotPacked::File(source) => unwritable(to, source).into(),
    })?;
    removed.map_err(|source| unwritable(&spool, source))?;
    Ok(packed)
}

/// Stores an archive, whose entries are then read in another order.
fn store(archive: DownloadReader, to: &Path) -> Result<File, NotAssembled> {
    let mut file = create(to).map_err(|source| unwritable(to, source))?;
    let mut archive = archive.take(LIMIT + 1);
    let mut buffer = vec![0; super::export::PIECE];
    let mut stored = 0;
    loop {
        let read = archive
            .read(&mut buffer)
            .map_err(|error| ResultError::Unreadable {
                why: error.to_string(),
            })?;
        if read == 0 {
            file.rewind().map_err(|source| unwritable(to, source))?;
            return Ok(file);
        }
        stored += read as u64;
        if stored > LIMIT {
            let why = format!("the sensor's folder has more than {LIMIT} bytes");
            return Err(ResultError::Unreadable { why }.into());
        }
        file.write_all(&buffer[..read])
            .map_err(|source| unwritable(to, source))?;
    }
}

fn unwritable(path: &Path, source: io::Error) -> SpoolError {
    SpoolError {
        path: path.to_owned(),
        source,
    }
}
