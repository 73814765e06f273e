use std::fmt;
use std::str::FromStr;

use serde_json::Value;

use super::platform::Platform;
use crate::adapters::engine::image::{held, platform};

/// What the engine is, found out without changing anything.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineFacts {
    /// The engine's version, such as `28.5.2`.
    pub version: String,
    /// The newest version of its API, which is the one that it answers in.
    pub api_version: ApiVersion,
    /// How it keeps images.
    pub store: Store,
    /// The platform of its machine.
    pub platform: Platform,
    /// Whether it is reached by a Unix socket, so that it runs on this machine.
    pub is_local: bool,
}

/// How an engine keeps images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The classic store: one platform per name, layers kept unpacked.
    Overlay2,
    /// The containerd image store: a name may stand for an index, layers are kept as they were pulled.
    Containerd,
    /// The classic store on another driver.
    Other(String),
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

/// A version of the engine's API, such as `1.51`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ApiVersion {
    /// The part before the point.
    pub major: u16,
    /// The part after it.
    pub minor: u16,
}

impl fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for ApiVersion {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (major, minor) = text.split_once('.').unwrap_or((text, "0"));
        Ok(Self {
            major: major.parse()?,
            minor: minor.parse()?,
        })
    }
}

/// An image as the engine describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct EngineImage {
    /// What the engine calls it: the configuration's digest in the classic store, the manifest's or the index's in
    /// the containerd store.
    pub id: String,
    /// The platform of what is described here.
    pub platform: Platform,
    /// Every platform that the engine holds under this name. More than one is possible in the containerd store
    /// only; engines before 28 (API 1.48) tell of no more than one.
    pub platforms: Vec<Platform>,
    /// The digests of the unpacked layers, lowest first.
    pub diff_ids: Vec<String>,
    /// The configuration as the engine tells it, unknown fields included.
    pub config: Value,
    /// When it was made, as its configuration says.
    pub created: Option<String>,
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
            platforms,
            diff_ids: texts(&answer["RootFS"]["Layers"]),
            config: answer["Config"].clone(),
            created: answer["Created"].as_str().map(str::to_owned),
            repo_tags,
            repo_digests,
            size: answer["Size"].as_u64().unwrap_or_default(),
        }
    }
}
