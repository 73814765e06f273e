use std::fmt;
use std::path::PathBuf;

use serde_json::Value;

use super::platform::Platform;

/// Facts about the engine, found out without changing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// The engine's version, such as `28.5.2`.
    pub version: String,
    /// Store in which it keeps images.
    pub store: Store,
    /// The platform of its machine.
    pub platform: Platform,
    /// True if it is reached by a Unix socket, so that it runs on this machine.
    pub is_local: bool,
}

/// Paths that the engine can mount into a container, found out without creating one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineMounts {
    /// Result for a folder in the agent's temporary folder. It speaks for all folders of the agent.
    pub agent_folder: Mountable,
    /// Path of the engine's own socket on the engine's side; none if it is at no usual path.
    pub engine_socket: Option<PathBuf>,
}

/// Answer of an engine about the source of a bind mount.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mountable {
    /// The engine has it.
    Yes,
    /// The engine has nothing there: it runs in another container than the agent, or on another machine.
    No,
    /// The engine did not answer, for this reason.
    Unknown(String),
}

/// Advice where the engine has none of the agent's folders.
pub const PATHS_NOT_SHARED: &str = "Mount one folder at the same path into the agent and into the engine's container, and let the agent's work folder lie in it; or run the step on the engine's own machine";

/// Advice where the engine has an image's name and not its content.
pub const INCOMPLETE: &str = "Remove the images of the engine that have the same layers in another compression (`docker image ls`, `docker image rm`), and run again; newer engines fetch the content in any case (moby pull request 53615)";

/// Store in which an engine keeps images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The classic store: one platform per name, layers kept unpacked.
    Overlay2,
    /// The containerd image store: a name may stand for an index, layers are kept as they were pulled.
    Containerd,
    /// The classic store on another driver.
    Other(String),
}

/// Layers that an image can have in a store on a graph driver: the constant `maxLayerDepth` of moby's layer store. With
/// one more a pull ends with `max depth exceeded`, as tried on Docker 28.5 with overlay2.
pub const GRAPH_DRIVER_LAYERS: usize = 125;

impl Store {
    /// The most layers that an image can have in it; none where no limit is known.
    #[must_use]
    pub fn layer_limit(&self) -> Option<usize> {
        match self {
            Self::Containerd => None,
            Self::Overlay2 | Self::Other(_) => Some(GRAPH_DRIVER_LAYERS),
        }
    }
}

impl fmt::Display for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Overlay2 => f.write_str("overlay2"),
            Self::Containerd => f.write_str("containerd"),
            Self::Other(driver) => f.write_str(driver),
        }
    }
}

/// An image as the engine describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineImage {
    /// ID that the engine gives it: the configuration's digest in the classic store, the manifest's or the index's in
    /// the containerd store.
    pub id: String,
    /// The platform of what is described here.
    pub platform: Platform,
    /// True if the engine has the image's content and not only its name. The containerd store can end a pull without
    /// fetching a layer, when it has the same layer unpacked from another compression (moby issue 49473).
    pub is_whole: bool,
    /// Every platform that the engine holds under this name. More than one is possible in the containerd store
    /// only; engines before 28 (API 1.48) tell of no more than one.
    pub platforms: Vec<Platform>,
    /// The digests of the unpacked layers, lowest first.
    pub diff_ids: Vec<String>,
    /// The configuration as the engine tells it, unknown fields included.
    pub config: Value,
    /// Its tag references.
    pub repo_tags: Vec<String>,
    /// Its digest references. The containerd store makes one for every repository that has a tag of the image, pulled
    /// or not.
    pub repo_digests: Vec<String>,
    /// Bytes as the store counts them: unpacked in the classic one, packed in the containerd one of engine 28.
    pub size: u64,
}

impl EngineImage {
    pub fn of(answer: &Value) -> Self {
        let texts = |value: &Value| -> Vec<String> {
            let items = value.as_array().into_iter().flatten();
            items.filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let described = platform(answer, "Os", "Architecture", "Variant");
        let mut platforms = held(answer);
        let lists_images = images(answer).next().is_some();
        let is_whole = if lists_images {
            images(answer).any(is_available)
        } else {
            described.is_some()
        };
        let platform = match described {
            Some(platform) => platform,
            // An index whose entry for this machine is absent is described with empty fields.
            None if platforms.len() == 1 => platforms[0].clone(),
            None => Platform::new("unknown", "unknown", None),
        };
        if platforms.is_empty() {
            platforms.push(platform.clone());
        }
        // The containerd store of engine 28 lists digest references among the tags, and 26 lists some of them twice.
        let mut repo_tags = texts(&answer["RepoTags"]);
        repo_tags.retain(|reference| !reference.contains('@'));
        let mut repo_digests = texts(&answer["RepoDigests"]);
        repo_digests.dedup();
        Self {
            id: answer["Id"].as_str().unwrap_or_default().to_owned(),
            platform,
            is_whole,
            platforms,
            diff_ids: texts(&answer["RootFS"]["Layers"]),
            config: answer["Config"].clone(),
            repo_tags,
            repo_digests,
            size: answer["Size"].as_u64().unwrap_or_default(),
        }
    }
}

/// One step of the build of an image, as the engine reports it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryEntry {
    /// The step, in its builder's words.
    pub created_by: String,
    /// Bytes that it added, unpacked.
    pub size: u64,
}

/// The platforms of the manifests that are really there; an index often lists more than was pulled, and
/// attestations beside them.
fn held(answer: &Value) -> Vec<Platform> {
    let mut held = Vec::new();
    for manifest in images(answer).filter(|manifest| is_available(manifest)) {
        let described = &manifest["ImageData"]["Platform"];
        let platform = platform(described, "os", "architecture", "variant");
        if let Some(platform) = platform.filter(|platform| !held.contains(platform)) {
            held.push(platform);
        }
    }
    held
}

/// The manifests of images. Engines list them from API 1.48 on, in the containerd store only.
fn images(answer: &Value) -> impl Iterator<Item = &Value> {
    let manifests = answer["Manifests"].as_array().into_iter().flatten();
    manifests.filter(|manifest| manifest["Kind"] == "image")
}

/// True if all content of a manifest lies in the engine.
fn is_available(manifest: &Value) -> bool {
    manifest["Available"] == true
}

fn platform(value: &Value, os: &str, architecture: &str, variant: &str) -> Option<Platform> {
    let text = |field: &str| value[field].as_str().filter(|text| !text.is_empty());
    Some(Platform::new(text(os)?, text(architecture)?, text(variant)))
}

#[cfg(test)]
mod tests {
    use super::EngineImage;
    use serde_json::{Value, json};

    fn manifest(kind: &str, available: bool, architecture: &str) -> Value {
        json!({"Kind": kind, "Available": available, "ImageData": {"Platform": {"os": "linux", "architecture": architecture}}})
    }

    #[test]
    fn platforms_of_an_image() {
        let arm64 = json!({"Os": "linux", "Architecture": "arm64", "Variant": "v8"});
        let empty = json!({"Os": "", "Architecture": ""});
        for (mut answer, manifests, described, held) in [
            (arm64.clone(), Value::Null, "linux/arm64", "linux/arm64"),
            (
                arm64.clone(),
                json!([manifest("image", true, "arm64"), {"Kind": "attestation", "Available": true}]),
                "linux/arm64",
                "linux/arm64",
            ),
            (
                arm64,
                json!([
                    manifest("image", true, "amd64"),
                    manifest("image", true, "arm64")
                ]),
                "linux/arm64",
                "linux/amd64 linux/arm64",
            ),
            (
                empty.clone(),
                json!([
                    manifest("image", false, "amd64"),
                    manifest("image", true, "arm64")
                ]),
                "linux/arm64",
                "linux/arm64",
            ),
            (empty, Value::Null, "unknown/unknown", "unknown/unknown"),
        ] {
            answer["Manifests"] = manifests;
            let image = EngineImage::of(&answer);
            assert_eq!(image.platform.to_string(), described, "{answer}");
            let platforms: Vec<_> = image.platforms.iter().map(ToString::to_string).collect();
            assert_eq!(platforms.join(" "), held, "{answer}");
        }
    }

    #[test]
    fn a_name_without_content_is_not_a_whole_image() {
        let arm64 = json!({"Os": "linux", "Architecture": "arm64"});
        let empty = json!({"Os": "", "Architecture": ""});
        let attestation = json!({"Kind": "attestation", "Available": true});
        for (mut answer, manifests, is_whole) in [
            // The classic store, and the containerd store before API 1.48.
            (arm64.clone(), Value::Null, true),
            (empty.clone(), Value::Null, false),
            (json!({}), Value::Null, false),
            // The containerd store.
            (
                arm64.clone(),
                json!([manifest("image", true, "arm64")]),
                true,
            ),
            (
                arm64.clone(),
                json!([manifest("image", false, "arm64")]),
                false,
            ),
            (empty.clone(), json!([manifest("image", false, "")]), false),
            (
                empty,
                json!([manifest("image", false, ""), attestation]),
                false,
            ),
            (
                arm64,
                json!([
                    manifest("image", false, "amd64"),
                    manifest("image", true, "arm64")
                ]),
                true,
            ),
        ] {
            answer["Manifests"] = manifests;
            assert_eq!(EngineImage::of(&answer).is_whole, is_whole, "{answer}");
        }
    }

    /// The shape that API 1.52 documents, which is Docker 29's: empty fields are left out.
    #[test]
    fn fields_that_docker_29_leaves_out_are_empty() {
        let answer = json!({
            "Id": "sha256:1", "RepoTags": ["app:1"], "Created": "2026-01-01T00:00:00Z",
            "Config": {"Entrypoint": ["/entry.sh"]},
            "Architecture": "arm64", "Os": "linux", "Size": 7,
            "RootFS": {"Type": "layers", "Layers": ["sha256:2"]},
            "Descriptor": {"digest": "sha256:1"}, "Identity": {"Pull": []},
        });
        let image = EngineImage::of(&answer);
        assert!(image.is_whole && image.repo_digests.is_empty());
        assert_eq!(image.config["Env"], Value::Null);
        let bare =
            EngineImage::of(&json!({"Id": "sha256:1", "Os": "linux", "Architecture": "arm64"}));
        assert!(bare.diff_ids.is_empty() && bare.config.is_null());
    }

    #[test]
    fn fields_of_the_configuration_that_nobody_knows_stay() {
        let answer = json!({
            "Id": "sha256:1", "Os": "linux", "Architecture": "arm64", "Size": 7,
            "Config": {"Cmd": ["a"], "FromTheFuture": {"x": 1}},
            "RootFS": {"Type": "layers", "Layers": ["sha256:2", "sha256:3"]},
            "RepoTags": ["r@sha256:4"], "RepoDigests": ["r@sha256:4", "r@sha256:4"],
        });
        let image = EngineImage::of(&answer);
        assert_eq!(image.config["FromTheFuture"]["x"], 1);
        assert_eq!(image.diff_ids, ["sha256:2", "sha256:3"]);
        assert!(image.repo_tags.is_empty());
        assert_eq!((image.size, image.repo_digests.len()), (7, 1));
    }
}
