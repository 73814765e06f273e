//! Checks a packed layer that somebody else may have pushed, as strictly as a graft makes its own.

use std::io::{self, Read};

use flate2::read::MultiGzDecoder;
use tar::Archive;

use super::bounded_archive::BoundedArchive;
use super::folder_item::{FolderError, Kind, all_records, item};
use super::sensor_folder::SensorFolder;
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, SENSOR_FOLDER};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::hashing::Hashing;

/// Bytes that a layer may have, packed or unpacked; the sensor has about 220 MB.
pub(crate) const LIMIT: u64 = 1024 * 1024 * 1024;

/// Reads a layer to its end, and checks that it is the sensor's folder in the form in which this task writes it.
///
/// Readers of archives differ in what they make of an odd one, so an entry whose header is not the one that this task
/// would write for it is refused, and so is a record that it would not write.
///
/// # Errors
/// A phrase on the first fault, whose subject is the layer.
pub fn check_layer(packed: impl Read, diff_id: &Digest) -> Result<(), String> {
    let unpacked = Hashing::new(MultiGzDecoder::new(packed)).take(LIMIT + 1);
    let mut archive = Archive::new(BoundedArchive::new(unpacked));
    let folder = read(&mut archive).map_err(|error| error.to_string())?;
    folder.require_file(within(FALCON_ENTRYPOINT))?;
    let mut rest = archive.into_inner().into_inner();
    if !ends_with_zeros(&mut rest).map_err(|error| error.to_string())? {
        return Err("it goes on behind the end of its archive".to_owned());
    }
    let unpacked = rest.into_inner();
    if unpacked.bytes > LIMIT {
        return Err(format!("it has more than {LIMIT} bytes unpacked"));
    }
    let found = unpacked.digest();
    if found != *diff_id {
        return Err(format!(
            "its content is {found}, and the entry names {diff_id}"
        ));
    }
    Ok(())
}

/// The path of a file of the sensor within its folder.
fn within(path: &str) -> &str {
    path.trim_start_matches(SENSOR_FOLDER)
        .trim_start_matches('/')
}

fn read(archive: &mut Archive<impl Read>) -> Result<SensorFolder, FolderError> {
    let mut folder = SensorFolder::empty(SENSOR_FOLDER);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let bytes = entry.path_bytes().into_owned();
        let path = bytes.strip_suffix(b"/").unwrap_or(&bytes).to_vec();
        let odd = |why: &str| {
            let shown = String::from_utf8_lossy(&path);
            FolderError::Unusable(format!("`{shown}` {why}"))
        };
        let item = item(&mut entry, b"")?;
        let (header, records) = item.written(&path)?;
        let is_ours = entry.header().as_bytes() == header.as_bytes();
        if !is_ours || all_records(&mut entry)? != records {
            return Err(odd("is not in the form in which this task writes it"));
        }
        if folder.last().is_some_and(|last| last >= &path[..]) {
            return Err(odd("is not in the order of the paths"));
        }
        // A reader that ends a name at its first zero would take it for another.
        let link = match &item.kind {
            Kind::SymbolicLink(target) | Kind::HardLink(target) => &target[..],
            Kind::File { .. } | Kind::Folder | Kind::Pipe => &[],
        };
        if path.contains(&0) || link.contains(&0) {
            return Err(odd("has a zero in its name"));
        }
        // Behind a link an engine would write elsewhere.
        if !is_in_folder(&folder, &path, &item.kind) {
            return Err(odd("is not in an earlier folder"));
        }
        if let Kind::HardLink(target) = &item.kind
            && !matches!(folder.kind(target), Some(Kind::File { .. }))
        {
            return Err(odd("is a link to what is not an earlier file"));
        }
        folder.insert(&path, item)?;
    }
    Ok(folder)
}

/// Checks that the entry above is a folder, and the first entry the sensor's own.
fn is_in_folder(folder: &SensorFolder, path: &[u8], kind: &Kind) -> bool {
    if folder.last().is_none() {
        let own = SENSOR_FOLDER.trim_start_matches('/').as_bytes();
        return path == own && matches!(kind, Kind::Folder);
    }
    let above = path.iter().rposition(|byte| *byte == b'/');
    above.is_some_and(|end| matches!(folder.kind(&path[..end]), Some(Kind::Folder)))
}

/// Reads the rest of an archive, in which nothing but zeros may be.
fn ends_with_zeros(rest: &mut impl Read) -> io::Result<bool> {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let read = rest.read(&mut buffer)?;
        if read == 0 {
            return Ok(true);
        }
        if buffer[..read].iter().any(|byte| *byte != 0) {
            return Ok(false);
        }
    }
}
