//! The JSON of an entry: its manifest, and its document. An unknown field and a doubled one are refused.

use serde::{Deserialize, Serialize};

use super::entry_fault::EntryFault;
use super::question::SCHEMA;
use super::secret_texts::Part;
use crate::domain::assembly::layer_check::LIMIT;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{OCI_GZIP_LAYER, OCI_MANIFEST, RawManifest};

/// The type of the artifact and of its document.
pub const ENTRY_TYPE: &str = "application/vnd.falcon-arm64-patch.graft.v1+json";

/// Bytes that a document may have. A question holds a source's configuration, which has some kilobytes.
pub const DOCUMENT_LIMIT: u64 = 1024 * 1024;

/// The manifest of an entry.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ManifestDocument {
    schema_version: u64,
    media_type: String,
    artifact_type: String,
    config: DescriptorDocument,
    layers: [DescriptorDocument; 1],
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DescriptorDocument {
    media_type: String,
    digest: String,
    size: u64,
}

/// The blobs that the manifest of an entry names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntryBlobs {
    /// The document.
    pub(crate) document: Descriptor,
    /// The packed layer.
    pub(crate) layer: Descriptor,
}

impl EntryBlobs {
    /// Reads the manifest that an entry's tag names.
    ///
    /// # Errors
    /// It is not an entry's, or not in the one form that an entry's has.
    pub fn read(manifest: &RawManifest) -> Result<Self, EntryFault> {
        if manifest.media_type != OCI_MANIFEST {
            let why = format!("it is of the type `{}`", manifest.media_type);
            return Err(EntryFault::Foreign(why));
        }
        let read: ManifestDocument = serde_json::from_slice(&manifest.bytes)
            .map_err(|error| EntryFault::Foreign(error.to_string()))?;
        let [layer] = read.layers;
        let blobs = Self {
            document: read.config.read()?,
            layer: layer.read()?,
        };
        if blobs.document.size > DOCUMENT_LIMIT {
            let why = format!("its document has {} bytes", blobs.document.size);
            return Err(EntryFault::Foreign(why));
        }
        if blobs.layer.size > LIMIT {
            let why = format!("its layer has {} bytes", blobs.layer.size);
            return Err(EntryFault::Foreign(why));
        }
        if blobs.manifest().bytes != manifest.bytes {
            return Err(EntryFault::Form("its manifest differs".to_owned()));
        }
        Ok(blobs)
    }

    /// The manifest that refers to them; the same blobs have the same one.
    #[must_use]
    pub fn manifest(&self) -> RawManifest {
        let manifest = ManifestDocument {
            schema_version: 2,
            media_type: OCI_MANIFEST.to_owned(),
            artifact_type: ENTRY_TYPE.to_owned(),
            config: DescriptorDocument::of(&self.document, ENTRY_TYPE),
            layers: [DescriptorDocument::of(&self.layer, OCI_GZIP_LAYER)],
        };
        RawManifest {
            media_type: OCI_MANIFEST.to_owned(),
            bytes: json(&manifest),
        }
    }
}

impl DescriptorDocument {
    fn of(descriptor: &Descriptor, media_type: &str) -> Self {
        Self {
            media_type: media_type.to_owned(),
            digest: descriptor.digest.to_string(),
            size: descriptor.size,
        }
    }

    fn read(self) -> Result<Descriptor, EntryFault> {
        let digest = self.digest.parse();
        Ok(Descriptor {
            media_type: self.media_type,
            digest: digest.map_err(|error| EntryFault::Foreign(format!("{error}")))?,
            size: self.size,
        })
    }
}

/// The document of an entry.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct EntryDocument {
    pub(super) schema: u64,
    pub(super) question: String,
    pub(super) change: ChangeDocument,
    pub(super) layer: LayerDocument,
}

/// The change of the configuration, with placeholders for secrets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct ChangeDocument {
    /// The entrypoint in front of the source's own.
    pub(super) entrypoint: Vec<Vec<Part>>,
    pub(super) variables: Vec<Vec<Part>>,
    pub(super) labels: Vec<LabelDocument>,
}

/// An added label.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LabelDocument {
    pub(super) name: Vec<Part>,
    pub(super) value: Vec<Part>,
}

/// The layer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct LayerDocument {
    pub(super) digest: String,
    pub(super) diff_id: String,
    pub(super) size: u64,
}

/// The field by which versions are told apart.
#[derive(Deserialize)]
struct SchemaDocument {
    schema: u64,
}

impl EntryDocument {
    /// Reads a document.
    ///
    /// # Errors
    /// It has another schema, or another form than documents are written in.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, EntryFault> {
        let unreadable = |error: serde_json::Error| EntryFault::Incomplete(error.to_string());
        let SchemaDocument { schema } = serde_json::from_slice(bytes).map_err(unreadable)?;
        if schema != SCHEMA {
            return Err(EntryFault::Schema(schema));
        }
        let form = |why: String| EntryFault::Form(why);
        let document: Self =
            serde_json::from_slice(bytes).map_err(|error| form(error.to_string()))?;
        if document.bytes() != bytes {
            return Err(form("its document differs".to_owned()));
        }
        Ok(document)
    }

    /// The bytes of the document; the same content has the same ones.
    pub(super) fn bytes(&self) -> Vec<u8> {
        json(self)
    }
}

/// Writes JSON in the order of a type's fields.
fn json(value: &impl Serialize) -> Vec<u8> {
    // Only maps with other keys than texts, and failing writers, are errors; these types have neither.
    serde_json::to_vec(value).unwrap_or_default()
}
