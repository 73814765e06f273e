//! The requests to an engine, held against the sources.

use std::path::Path;

use strum::VariantArray as _;

use crate::test_support::loopback_server::Received;

/// A place in this adapter that sends a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::VariantArray)]
pub(super) enum EngineRequest {
    Version,
    Info,
    InspectImage,
    History,
    TagImage,
    RemoveImage,
    RemoveVolume,
    Load,
    PathStat,
    Download,
    Pull,
    MountProbe,
    Create,
    Attach,
    Start,
    Wait,
    InspectEnded,
    ListContainers,
    HasContainer,
    RemoveContainer,
    StartService,
    InspectService,
    Logs,
}

impl EngineRequest {
    /// Name on the page, file that sends it, function that it is sent by.
    fn place(self) -> (&'static str, &'static str, &'static str) {
        const LIFE: &str = "container/lifecycle.rs";
        const SERVICE: &str = "container/service.rs";
        match self {
            Self::Version => ("version", "facts.rs", "get"),
            Self::Info => ("info", "facts.rs", "get"),
            Self::InspectImage => ("inspect image", "image.rs", "get"),
            Self::History => ("history of an image", "image.rs", "get"),
            Self::TagImage => ("tag image", "image.rs", "tag_image"),
            Self::RemoveImage => ("remove image", "image.rs", "remove_image"),
            Self::RemoveVolume => ("remove volume", "volume.rs", "remove_volume"),
            Self::Load => ("load image", "archive.rs", "successful"),
            Self::PathStat => ("look at a path", "archive.rs", "successful"),
            Self::Download => ("export image", "archive.rs", "successful"),
            Self::Pull => ("pull", "transfer/start.rs", "post"),
            Self::MountProbe => ("try a mount", "mounts.rs", "create_container"),
            Self::Create => ("create container", LIFE, "create_container"),
            Self::Attach => ("attach to container", LIFE, "attach_container"),
            Self::Start => ("start container", LIFE, "start_container"),
            Self::Wait => ("wait for container", LIFE, "wait_container"),
            Self::InspectEnded => ("inspect ended container", LIFE, "get"),
            Self::ListContainers => ("list containers", LIFE, "get"),
            Self::HasContainer => ("look for container", LIFE, "get"),
            Self::RemoveContainer => ("remove container", LIFE, "remove_container"),
            Self::StartService => ("start local registry", SERVICE, "start_container"),
            Self::InspectService => ("inspect local registry", SERVICE, "get"),
            Self::Logs => ("lines of local registry", SERVICE, "logs"),
        }
    }

    pub(super) fn name(self) -> &'static str {
        self.place().0
    }

    /// Returns true if a request is of this kind; the use of a kind sends no other that looks like it.
    pub(super) fn is(self, received: &Received) -> bool {
        let (method, path) = received.line.split_once(' ').expect("a line");
        let path = path.split('?').next().unwrap_or_default();
        let container = path.starts_with("/containers/");
        match self {
            Self::Version => path == "/version",
            Self::Info => path == "/info",
            Self::InspectImage => path.starts_with("/images/") && path.ends_with("/json"),
            Self::History => path.ends_with("/history"),
            Self::TagImage => path.ends_with("/tag"),
            Self::RemoveImage => method == "DELETE" && path.starts_with("/images/"),
            Self::RemoveVolume => method == "DELETE" && path.starts_with("/volumes/"),
            Self::Load => path == "/images/load",
            Self::PathStat => method == "HEAD",
            Self::Download => path.ends_with("/get"),
            Self::Pull => path == "/images/create",
            Self::MountProbe | Self::Create => path == "/containers/create",
            Self::Attach => path.ends_with("/attach"),
            Self::Start | Self::StartService => path.ends_with("/start"),
            Self::Wait => path.ends_with("/wait"),
            Self::ListContainers => path == "/containers/json",
            Self::InspectEnded | Self::HasContainer | Self::InspectService => {
                container && path.ends_with("/json") && path != "/containers/json"
            }
            Self::RemoveContainer => method == "DELETE" && container,
            Self::Logs => path.ends_with("/logs"),
        }
    }
}

/// The calls in a source that send a request: those of the wire, and those of bollard.
fn calls(source: &str) -> Vec<String> {
    let code: String = source
        .split("#[cfg(test)]")
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let mut found = Vec::new();
    for (at, _) in code
        .match_indices("wire.")
        .chain(code.match_indices("docker."))
    {
        let rest = code[at..].split_once('.').map_or("", |(_, rest)| rest);
        let name = rest.split_once('(').map_or("", |(name, _)| name);
        let is_call = name.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        if is_call && !matches!(name, "" | "address" | "clone" | "send") {
            found.push(name.to_owned());
        }
    }
    found
}

#[test]
fn every_place_that_sends_a_request_has_its_cells() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/adapters/engine");
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(&folder) {
        let entry = entry.expect("a file");
        let path = entry.path().strip_prefix(&folder).expect("below");
        let path = path.to_str().expect("a name");
        // What falconutil sends is held by the list of the filter, and has tests of its own.
        let is_ours = !path.starts_with("socket") && !path.contains("tests") && path != "wire.rs";
        if is_ours && entry.file_type().is_file() {
            let source = std::fs::read_to_string(entry.path()).expect("a source");
            found.extend(
                calls(&source)
                    .into_iter()
                    .map(|call| format!("{path} {call}")),
            );
        }
    }
    let places = EngineRequest::VARIANTS.iter().map(|kind| kind.place());
    let mut listed: Vec<String> = places
        .map(|(_, file, call)| format!("{file} {call}"))
        .collect();
    found.sort_unstable();
    listed.sort_unstable();
    assert_eq!(found, listed);
}
