//! An entry of the graft cache: the question, and falconutil's answer to it.

use serde_json::{Map, Value};

use super::entry_document::{
    ChangeDocument, ENTRY_TYPE, EntryBlobs, EntryDocument, LabelDocument, LayerDocument,
};
use super::entry_fault::{EntryFault, NotKept};
use super::question::{Question, SCHEMA};
use super::secret_texts::{Part, SecretTexts};
use crate::domain::assembly::change::Change;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::falcon::options::{FALCON_ENTRYPOINT, FalconOptions, SENSOR_ROOT};
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest::{OCI_GZIP_LAYER, RawManifest};
use crate::domain::image::proof::texts;
use crate::domain::reference::digest::Digest;

/// Parts that a text may have; ours have two for each option of falconctl.
const PARTS: usize = 64;

/// Bytes that the texts of a change may have together, with the secrets in them.
const CHANGE: usize = 64 * 1024;

/// Characters from which on a label's text counts as quoted where it is part of another; a shorter one must be all of it.
const QUOTED: usize = 4;

/// A graft that was proven, as it may be kept.
#[derive(Clone, Copy, Debug)]
pub struct Graft<'a> {
    /// The `config` object of the source's configuration.
    pub source: &'a Value,
    /// The options that falconutil was given.
    pub options: &'a FalconOptions,
    /// The change that falconutil made.
    pub change: &'a Change,
    /// The layer with the sensor.
    pub layer: &'a PackedLayer,
    /// Names that falconutil was given and that are not part of the question.
    pub names: &'a [String],
}

/// An entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    document: EntryDocument,
    /// The layer with the sensor.
    pub(crate) layer: PackedLayer,
}

impl Entry {
    /// Makes an entry of a graft. The same graft is the same bytes, and no secret is in them.
    ///
    /// # Errors
    /// The reason why the graft cannot be kept.
    pub fn of(question: &Question, graft: &Graft<'_>) -> Result<Self, NotKept> {
        let secrets = SecretTexts::of(graft.options);
        if secrets.are_in(question.as_str()) {
            return Err(NotKept::SecretInSource);
        }
        let change = ChangeDocument::of(graft, &secrets)?;
        change.refuse_secrets(&secrets)?;
        change
            .refuse_hidden_names()
            .map_err(|_| NotKept::SecretForm)?;
        refuse_quotes(graft, &change)?;
        let layer = graft.layer;
        Ok(Self {
            document: EntryDocument {
                schema: SCHEMA,
                question: question.as_str().to_owned(),
                change,
                layer: LayerDocument {
                    digest: layer.digest.to_string(),
                    diff_id: layer.diff_id.to_string(),
                    size: layer.size,
                },
            },
            layer: layer.clone(),
        })
    }

    /// Reads an entry whose manifest refers to `blobs`.
    ///
    /// # Errors
    /// The reason why it is not an answer to the question.
    pub fn read(
        blobs: &EntryBlobs,
        document: &[u8],
        question: &Question,
    ) -> Result<Self, EntryFault> {
        let (bytes, size) = (document.len() as u64, blobs.document.size);
        if bytes != size {
            let why = format!("its document has {bytes} bytes instead of {size}");
            return Err(EntryFault::Incomplete(why));
        }
        let document = EntryDocument::read(document)?;
        if document.question != question.as_str() {
            return Err(EntryFault::OtherQuestion);
        }
        let digest = |text: &str| {
            let parsed = text.parse::<Digest>();
            parsed.map_err(|error| EntryFault::Layer(error.to_string()))
        };
        let layer = PackedLayer {
            diff_id: digest(&document.layer.diff_id)?,
            digest: digest(&document.layer.digest)?,
            size: document.layer.size,
        };
        if (&layer.digest, layer.size) != (&blobs.layer.digest, blobs.layer.size) {
            let why = "document and manifest name different ones".to_owned();
            return Err(EntryFault::Layer(why));
        }
        Ok(Self { document, layer })
    }

    /// The document's bytes.
    #[must_use]
    pub fn document(&self) -> Vec<u8> {
        self.document.bytes()
    }

    /// The manifest.
    #[must_use]
    pub fn manifest(&self) -> RawManifest {
        let blobs = EntryBlobs {
            document: Descriptor::of(ENTRY_TYPE, &self.document()),
            layer: Descriptor {
                media_type: OCI_GZIP_LAYER.to_owned(),
                digest: self.layer.digest.clone(),
                size: self.layer.size,
            },
        };
        blobs.manifest()
    }

    /// The change of a source's configuration, with the secrets of this run filled in.
    ///
    /// # Errors
    /// It asks for a secret that this run does not have, or has a label twice.
    pub(super) fn change(
        &self,
        source: &Value,
        options: &FalconOptions,
    ) -> Result<Change, EntryFault> {
        let secrets = SecretTexts::of(options);
        let form = |why: &str| EntryFault::Form(why.to_owned());
        let mut bytes = 0;
        let mut fill = |parts: &Vec<Part>| {
            if parts.len() > PARTS {
                return Err(form("a text has too many parts"));
            }
            let filled = secrets.fill(parts);
            let filled = filled.ok_or_else(|| form("it asks for a secret that was not given"))?;
            bytes += filled.len();
            if bytes > CHANGE {
                return Err(form("its change is too long"));
            }
            Ok(filled)
        };
        let change = &self.document.change;
        change.refuse_hidden_names()?;
        let own = texts(source, "Entrypoint").into_iter().map(str::to_owned);
        let mut entrypoint: Vec<String> = change
            .entrypoint
            .iter()
            .map(&mut fill)
            .collect::<Result<_, _>>()?;
        entrypoint.extend(own);
        let mut labels = Map::new();
        for label in &change.labels {
            let (name, value) = (fill(&label.name)?, fill(&label.value)?);
            let is_known = source["Labels"].get(&name).is_some();
            if is_known || labels.insert(name.clone(), value.into()).is_some() {
                let why = format!("it sets the label `{name}`, which is there");
                return Err(EntryFault::Unproven(why));
            }
        }
        Ok(Change {
            entrypoint,
            variables: change
                .variables
                .iter()
                .map(&mut fill)
                .collect::<Result<_, _>>()?,
            labels,
        })
    }
}

impl ChangeDocument {
    fn of(graft: &Graft<'_>, secrets: &SecretTexts) -> Result<Self, NotKept> {
        let Change {
            entrypoint,
            variables,
            labels,
        } = graft.change;
        let own = texts(graft.source, "Entrypoint");
        let front = entrypoint.len().checked_sub(own.len());
        let front = front.filter(|front| entrypoint[*front..] == own);
        let front = front.ok_or(NotKept::Form("the entrypoint does not end in the source's"))?;
        let replace = |text: &String| secrets.replace(text);
        let labels = labels.iter().map(|(name, value)| {
            let value = value
                .as_str()
                .ok_or(NotKept::Form("a label is not a text"))?;
            Ok(LabelDocument {
                name: secrets.replace(name),
                value: secrets.replace(value),
            })
        });
        Ok(Self {
            entrypoint: entrypoint[..front].iter().map(replace).collect(),
            variables: variables.iter().map(replace).collect(),
            labels: labels.collect::<Result<_, _>>()?,
        })
    }

    /// All texts, each in its parts.
    fn texts(&self) -> impl Iterator<Item = &Vec<Part>> {
        let labels = self.labels.iter();
        let labels = labels.flat_map(|label| [&label.name, &label.value]);
        self.entrypoint.iter().chain(&self.variables).chain(labels)
    }

    /// Refuses a secret in the entrypoint, or in the name of a variable or label: names and entrypoints are logged.
    fn refuse_hidden_names(&self) -> Result<(), EntryFault> {
        let is_plain = |parts: &Vec<Part>| parts.iter().all(|part| matches!(part, Part::Text(_)));
        let is_named = |parts: &Vec<Part>| matches!(parts.first(), Some(Part::Text(text)) if text.contains('='));
        let names = self.labels.iter().map(|label| &label.name);
        if self.entrypoint.iter().chain(names).all(is_plain) && self.variables.iter().all(is_named)
        {
            return Ok(());
        }
        Err(EntryFault::Form(
            "it has a secret where a name stands".to_owned(),
        ))
    }

    fn refuse_secrets(&self, secrets: &SecretTexts) -> Result<(), NotKept> {
        let mut parts = self.texts().flatten();
        let is_secret = |part: &Part| matches!(part, Part::Text(text) if secrets.are_in(text));
        if parts.any(is_secret) {
            return Err(NotKept::SecretForm);
        }
        Ok(())
    }
}

/// Refuses an answer that depends on what is not in the question: a label of the source, or a name of this run.
fn refuse_quotes(graft: &Graft<'_>, change: &ChangeDocument) -> Result<(), NotKept> {
    let told = [&graft.options.cloud_service, &graft.options.container_name];
    let told: Vec<&str> = told.into_iter().flatten().map(String::as_str).collect();
    let none = Map::new();
    let labels = graft.source["Labels"].as_object().unwrap_or(&none);
    for text in change.texts().flatten() {
        let Part::Text(text) = text else { continue };
        if graft.names.iter().any(|name| text.contains(name)) {
            return Err(NotKept::Name);
        }
        // The options of falconutil, and the texts that it always writes, are not quotations.
        let value = text
            .split_once('=')
            .map_or(text.as_str(), |(_, value)| value);
        if [SENSOR_ROOT, FALCON_ENTRYPOINT].contains(&value) || told.contains(&value) {
            continue;
        }
        let quoted = labels.iter().find(|(name, value)| {
            let value = value.as_str().unwrap_or_default();
            quotes(text, name) || quotes(text, value)
        });
        if let Some((name, _)) = quoted {
            return Err(NotKept::Label(name.clone()));
        }
    }
    Ok(())
}

fn quotes(text: &str, label: &str) -> bool {
    let value = text.split_once('=').map_or(text, |(_, value)| value);
    match label.len() {
        0 => false,
        1..QUOTED => value == label,
        _ => text.contains(label),
    }
}

/// The question of any entry, for a hint in the log.
///
/// # Errors
/// The document is not one of this version.
pub fn question_of(document: &[u8]) -> Result<String, EntryFault> {
    EntryDocument::read(document).map(|document| document.question)
}

#[cfg(test)]
mod tests;
