//! The files that falconutil added, as the engine's history tells them and, in doubt, as the layers have them.

use std::collections::HashMap;
use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::{Archive, EntryType};

use super::export::{Exported, each_file};
use super::failure::{NotAssembled, ResultError, SHOWN};
use crate::domain::assembly::added_history::reason_to_look;
use crate::domain::falcon::options::SENSOR_FOLDER;
use crate::domain::reference::hashing::Hashing;
use crate::flow::run::context::Run;
use crate::report::code::Code;
use crate::report::event::StepEvents;

/// The two images that are compared, by their names in the engine.
#[derive(Clone, Copy)]
pub(in crate::flow::run) struct Pair<'a> {
    pub(in crate::flow::run) before: &'a str,
    pub(in crate::flow::run) after: &'a str,
}

/// Paths of a layer that are not of the sensor alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct ForeignPaths {
    pub(super) first: Vec<String>,
    pub(super) count: usize,
}

impl Run {
    /// Refuses files that are not of the sensor alone. They would not be pushed, but they were meant to be.
    ///
    /// The history decides where it is what falconutil is known for. Where it says more, every added path is looked at.
    pub(super) async fn check_added_files(
        &self,
        pair: Pair<'_>,
        added: &[String],
        events: &StepEvents,
    ) -> Result<(), NotAssembled> {
        let engine = self.services.engine()?;
        let before = engine.history(pair.before).await?;
        let after = engine.history(pair.after).await?;
        let Some(reason) = reason_to_look(added.len(), &before, &after) else {
            return Ok(());
        };
        events.note(format!("{reason}, so each added file is looked at"));
        let export = engine.export(pair.after).await?;
        let wanted: Vec<String> = added.to_vec();
        let foreign = self
            .read_download(export, events, move |export| foreign_paths(export, &wanted))
            .await?;
        if foreign.count > 0 {
            return Err(ResultError::ForeignFiles {
                paths: foreign.first,
                count: foreign.count,
            }
            .into());
        }
        events.warning(
            Code::FalconutilChangedMore,
            format!("{reason}; all added files are under `{SENSOR_FOLDER}`"),
            None,
        );
        Ok(())
    }
}

/// Looks through the layers of an exported image, and returns the foreign paths of the added ones. Blocks.
pub(super) fn foreign_paths(
    export: impl Read,
    added: &[String],
) -> Result<ForeignPaths, ResultError> {
    let unreadable = |why: io::Error| ResultError::Unreadable {
        why: why.to_string(),
    };
    let mut layers: HashMap<String, ForeignPaths> = HashMap::new();
    each_file(export, |_, file| {
        let found = match file {
            Exported::Json(_) => return Ok(()),
            Exported::Gzip(file) => paths_of(MultiGzDecoder::new(file)),
            Exported::Plain(file) => paths_of(file),
        };
        // What cannot be read is not one of the added layers, or else one is missing below.
        if let Ok((diff_id, paths)) = found {
            layers.insert(diff_id, paths);
        }
        Ok::<_, io::Error>(())
    })
    .map_err(unreadable)?;
    let mut all = ForeignPaths::default();
    for layer in added {
        let paths = layers.get(layer).ok_or_else(|| ResultError::Unreadable {
            why: format!("the engine's export lacks the layer {layer}"),
        })?;
        all.count += paths.count;
        all.first.extend(paths.first.iter().cloned());
    }
    all.first.truncate(SHOWN);
    Ok(all)
}

/// Returns a layer's digest, unpacked, and its foreign paths.
fn paths_of(layer: impl Read) -> io::Result<(String, ForeignPaths)> {
    let mut archive = Archive::new(Hashing::new(layer));
    let mut paths = ForeignPaths::default();
    for entry in archive.entries()? {
        let entry = entry?;
        let path = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let is_folder = entry.header().entry_type() == EntryType::Directory;
        if !is_of_sensor(&path, is_folder) {
            paths.count += 1;
            if paths.first.len() < SHOWN {
                paths.first.push(path);
            }
        }
    }
    let mut layer = archive.into_inner();
    io::copy(&mut layer, &mut io::sink())?;
    Ok((layer.digest().to_string(), paths))
}

/// Returns true for a path within the sensor's folder, and for the folder above where it is a folder.
fn is_of_sensor(path: &str, is_folder: bool) -> bool {
    let path = path.trim_start_matches("./").trim_matches('/');
    let folder = SENSOR_FOLDER.trim_start_matches('/');
    let Some(rest) = path.strip_prefix(folder) else {
        return is_folder && (path.is_empty() || folder.starts_with(&format!("{path}/")));
    };
    let mut names = rest.split('/');
    names.next() == Some("") && names.all(|name| name != ".." && !name.starts_with(".wh."))
}
