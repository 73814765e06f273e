//! Manifests and indexes, as bytes and as what they say.

use serde::Deserialize;
use serde_json::Value;

use super::descriptor::Descriptor;
use super::twin_keys::refuse_twin_keys;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::tag::Tag;

pub const OCI_MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";

pub const OCI_INDEX: &str = "application/vnd.oci.image.index.v1+json";

const DOCKER_MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

pub const OCI_CONFIG: &str = "application/vnd.oci.image.config.v1+json";

pub const OCI_GZIP_LAYER: &str = "application/vnd.oci.image.layer.v1.tar+gzip";

/// The media types that are asked for.
pub const ACCEPT: &str = "application/vnd.oci.image.manifest.v1+json, application/vnd.oci.image.index.v1+json, application/vnd.docker.distribution.manifest.v2+json, application/vnd.docker.distribution.manifest.list.v2+json";

/// The configurations that name a platform; artifacts have others. Old versions of Docker wrote no type of their own.
pub(super) const IMAGE_CONFIGS: [&str; 3] = [
    OCI_CONFIG,
    "application/vnd.docker.container.image.v1+json",
    "application/octet-stream",
];

/// Tag or digest that names a manifest within its repository.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ManifestReference {
    /// A tag, which may name another manifest tomorrow.
    Tag(Tag),
    /// A digest.
    Digest(Digest),
    /// A digest, and a tag that names it. A pull-through cache fetches by tag only
    /// (<https://github.com/aws/containers-roadmap/issues/2837>).
    Pinned(Tag, Digest),
}

/// A manifest or index as the registry has it: the digest is that of these very bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RawManifest {
    /// The media type, without parameters.
    pub media_type: String,
    /// The bytes.
    pub bytes: Vec<u8>,
}

impl RawManifest {
    /// The digest of the bytes.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Digest::of(&self.bytes)
    }

    /// The media type of a gzipped layer in this manifest's family, OCI's or Docker's.
    #[must_use]
    pub fn gzip_layer(&self) -> &'static str {
        match self.media_type.as_str() {
            DOCKER_MANIFEST => "application/vnd.docker.image.rootfs.diff.tar.gzip",
            _ => OCI_GZIP_LAYER,
        }
    }
}

/// Image that a reference names, with its platforms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResolvedImage {
    /// The digest of the index, or of the single manifest.
    pub digest: Digest,
    /// Its media type.
    pub media_type: String,
    /// The manifests for platforms, in the order of the index; attestations are not among them.
    pub platforms: Vec<PlatformManifest>,
    /// True if there is an index.
    pub is_index: bool,
}

/// A manifest and its platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlatformManifest {
    /// The platform.
    pub platform: Platform,
    /// The manifest's digest.
    pub digest: Digest,
    /// The manifest's size in bytes.
    pub size: u64,
}

impl ResolvedImage {
    /// The manifest for a platform; the first, if an index has several, as engines do it.
    #[must_use]
    pub fn manifest_for(&self, platform: &Platform) -> Option<&PlatformManifest> {
        self.platforms
            .iter()
            .find(|manifest| manifest.platform == *platform)
    }
}

/// Content of a manifest, read from its bytes.
#[derive(Debug)]
pub enum Manifest {
    Index(Vec<IndexEntry>),
    Image(ImageParts),
}

/// An entry of an index that can be an image for a platform.
#[derive(Debug)]
pub struct IndexEntry {
    /// Its platform; none where only its configuration names one.
    pub platform: Option<Platform>,
    /// Its descriptor, or the reason why it cannot be used.
    pub descriptor: Result<Descriptor, String>,
}

#[derive(Debug)]
pub struct ImageParts {
    pub config: Descriptor,
    pub layers: Vec<Descriptor>,
}

impl ImageParts {
    /// Returns true if the configuration is an image's, and so names a platform.
    pub fn has_platform(&self) -> bool {
        IMAGE_CONFIGS.contains(&self.config.media_type.as_str())
    }
}

/// The fields that tell the kinds of manifest apart.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shape {
    schema_version: u64,
    media_type: Option<String>,
    manifests: Option<serde::de::IgnoredAny>,
    layers: Option<serde::de::IgnoredAny>,
    config: Option<serde::de::IgnoredAny>,
}

/// Finds the media type of a manifest that came with a `Content-Type`.
///
/// Manifest and header have to agree, and nothing can be both an index and an image: else one
/// digest would mean two things
/// (<https://github.com/opencontainers/distribution-spec/security/advisories/GHSA-mc8v-mgrf-8f4m>).
pub fn media_type(content_type: Option<&str>, bytes: &[u8]) -> Result<String, String> {
    let shape: Shape = read(bytes)?;
    refuse_twin_keys(bytes).map_err(|why| format!("the manifest {why}"))?;
    if shape.schema_version != 2 {
        return Err(format!(
            "the manifest has schema version {}, and only 2 is supported",
            shape.schema_version
        ));
    }
    let plain = content_type.and_then(|text| text.split(';').next());
    let header = plain.map(str::trim).filter(|text| is_known(text));
    let media_type = match (header, shape.media_type.as_deref()) {
        (Some(header), Some(own)) if header != own => {
            return Err(format!(
                "the manifest says that it is `{own}`, and the registry `{header}`"
            ));
        }
        (_, Some(own)) => own,
        (Some(header), None) => header,
        // OCI made the field optional, and a header can get lost on the way.
        (None, None) if shape.manifests.is_some() => OCI_INDEX,
        (None, None) => OCI_MANIFEST,
    };
    if !is_known(media_type) {
        return Err(format!(
            "manifests of type `{media_type}` are not supported"
        ));
    }
    if shape.manifests.is_some() && (shape.layers.is_some() || shape.config.is_some()) {
        return Err("the manifest is both an index and an image".to_owned());
    }
    Ok(media_type.to_owned())
}

/// Takes a manifest apart. Entries of an index that are not images are skipped.
pub fn parse(manifest: &RawManifest) -> Result<Manifest, String> {
    let json: Value = read(&manifest.bytes)?;
    if is_index(&manifest.media_type) {
        let entries = list(&json, "manifests")?.iter();
        return Ok(Manifest::Index(entries.filter_map(index_entry).collect()));
    }
    let layers: Result<Vec<_>, _> = list(&json, "layers")?.iter().map(descriptor).collect();
    Ok(Manifest::Image(ImageParts {
        config: descriptor(&json["config"])?,
        layers: layers?,
    }))
}

/// The entries of a list; none if it is missing or `null`, as Go writes an empty one.
fn list<'a>(json: &'a Value, name: &str) -> Result<&'a [Value], String> {
    match &json[name] {
        Value::Array(entries) => Ok(entries),
        Value::Null => Ok(&[]),
        _ => Err(format!("the manifest's `{name}` is not a list")),
    }
}

/// The most manifests that an index may refer to where all of them are read.
const CHILDREN: usize = 200;

/// Everything that an index refers to, attestations too; nothing for the image of one platform.
pub fn children(manifest: &RawManifest) -> Result<Vec<Descriptor>, String> {
    if !is_index(&manifest.media_type) {
        return Ok(Vec::new());
    }
    let index: Value = read(&manifest.bytes)?;
    let entries = list(&index, "manifests")?;
    if entries.len() > CHILDREN {
        return Err(format!(
            "the index refers to {} manifests, and at most {CHILDREN} are read",
            entries.len()
        ));
    }
    entries.iter().map(descriptor).collect()
}

/// The layers of an image or artifact.
pub fn layers(manifest: &RawManifest) -> Result<Vec<Descriptor>, String> {
    match parse(manifest)? {
        Manifest::Image(parts) => Ok(parts.layers),
        Manifest::Index(_) => Err("it is an index".to_owned()),
    }
}

pub(super) fn is_index(media_type: &str) -> bool {
    matches!(media_type, OCI_INDEX | DOCKER_LIST)
}

fn is_known(media_type: &str) -> bool {
    is_index(media_type) || matches!(media_type, OCI_MANIFEST | DOCKER_MANIFEST)
}

/// An entry of an index; none if it is not an image.
fn index_entry(entry: &Value) -> Option<IndexEntry> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let media_type = text(&entry["mediaType"]);
    let is_manifest = media_type.is_empty() || (is_known(&media_type) && !is_index(&media_type));
    let platform = Platform::named_in(&entry["platform"]);
    let artifact_type = text(&entry["artifactType"]);
    // BuildKit's attestations and OCI's artifacts; both may come without a platform.
    let is_artifact = !entry["annotations"]["vnd.docker.reference.type"].is_null()
        || !(artifact_type.is_empty() || IMAGE_CONFIGS.contains(&artifact_type.as_str()));
    let is_image = match &platform {
        Some(platform) => platform.is_known(),
        None => !is_artifact,
    };
    (is_manifest && is_image).then(|| IndexEntry {
        platform,
        descriptor: descriptor(entry),
    })
}

fn descriptor(json: &Value) -> Result<Descriptor, String> {
    let digest = json["digest"].as_str().unwrap_or_default();
    let size = json["size"].as_u64();
    Ok(Descriptor {
        media_type: json["mediaType"].as_str().unwrap_or_default().to_owned(),
        digest: digest.parse().map_err(|error| format!("{error}"))?,
        size: size.ok_or_else(|| format!("the descriptor of {digest} has no size"))?,
    })
}

fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, String> {
    serde_json::from_slice(bytes).map_err(|error| format!("the manifest cannot be read: {error}"))
}

#[cfg(test)]
mod tests;
