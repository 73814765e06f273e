//! Referrers of an image: artifacts whose manifest has it as `subject`
//! (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers>).
//!
//! A registry without the API keeps the list as an index under a tag made of the digest. A client that
//! pushes an artifact then writes that index too.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde::Deserialize as _;
use serde_json::{Value, json};

use super::client::Registry;
use super::error::RegistryError;
use super::next_page::next_page;
use super::refusal::RegistryRefusal;
use super::request_kind::RegistryRequest;
use super::subject::Subject;
use super::transport::Request;
use crate::domain::image::descriptor::Descriptor;
use crate::domain::image::manifest;
use crate::domain::image::manifest::{ManifestReference, OCI_INDEX, OCI_MANIFEST, RawManifest};
use crate::domain::image::referrer::Referrer;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::error::ReferenceError;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// An artifact without a configuration has this one
/// (<https://github.com/opencontainers/image-spec/blob/main/manifest.md#guidance-for-an-empty-descriptor>).
pub const EMPTY_TYPE: &str = "application/vnd.oci.empty.v1+json";

const EMPTY: &[u8] = b"{}";

/// Bytes that all pages of a list may have together; an entry has some 500.
const LIST_LIMIT: usize = 4 * 1024 * 1024;

/// Bytes that the manifest of an artifact may have; ours has some 2 KiB.
const ARTIFACT_LIMIT: usize = 64 * 1024;

/// A registry that never comes to an end is not followed for ever.
const PAGES: usize = 20;

/// The header by which a registry says that it has understood `subject`.
const SUBJECT_HEADER: &str = "oci-subject";

/// Artifact that is to refer to an image. Its content names the time or has a signature, so it is new.
#[derive(Clone, Debug)]
pub struct Artifact<'a> {
    /// Its type, which is its content's media type too.
    pub media_type: &'a str,
    /// Its content.
    pub content: &'a [u8],
    /// Annotations of its manifest about it.
    pub annotations: BTreeMap<String, String>,
}

/// An artifact that refers to an image now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attached {
    /// The digest of its manifest.
    pub digest: Digest,
    /// The tag of the list that stands in for the registry's own, where that had to be written.
    pub list: Option<Tag>,
}

impl Registry {
    /// The artifacts of some types that refer to an image; none where the registry knows of none.
    ///
    /// # Errors
    /// The list cannot be had, or one of its entries of these types cannot be read.
    pub async fn referrers(
        &self,
        repository: &Repository,
        image: &Digest,
        types: &[&str],
    ) -> Result<Vec<Referrer>, RegistryError> {
        let listed = self.listed_referrers(repository, image, types).await?;
        listed.into_iter().collect()
    }

    /// The same with an error for each entry that cannot be read: all who can push can have written one.
    pub async fn listed_referrers(
        &self,
        repository: &Repository,
        image: &Digest,
        types: &[&str],
    ) -> Result<Vec<Result<Referrer, RegistryError>>, RegistryError> {
        let subject = Subject::read(repository, None);
        let mut path = format!("/v2/{}/referrers/{image}", repository.name);
        // A registry filters by one type alone.
        if let [only] = types {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            path.push('?');
            path.push_str(&query.append_pair("artifactType", only).finish());
        }
        let mut found = Vec::new();
        let mut limit = LIST_LIMIT;
        for page in 0..PAGES {
            let request = Request {
                kind: RegistryRequest::Referrers,
                repository: repository.clone(),
                path,
                offset: 0,
                accept: Some(OCI_INDEX),
                body: None,
                limit,
            };
            let answer = self.0.send(&request).await;
            let answer = answer.map_err(|failed| subject.failed(failed))?;
            if page == 0 && has_no_list(answer.status) {
                let index = self.fallback(repository, image).await?;
                return match index {
                    Some(index) => subject.referrers(&index.bytes, types),
                    None => Ok(Vec::new()),
                };
            }
            if answer.status != StatusCode::OK {
                return Err(subject.refused(&RegistryRefusal::of(&answer)));
            }
            limit = limit.saturating_sub(answer.body.len());
            found.extend(subject.referrers(&answer.body, types)?);
            let next = next_page(repository, &request.path, &answer.headers).map_err(|why| {
                subject.invalid(&format!(
                    "the list of referrers cannot be read to its end: {why}"
                ))
            })?;
            match next {
                Some(next) => path = next,
                None => return Ok(found),
            }
        }
        Err(subject.invalid(&format!(
            "the list of referrers has more than {PAGES} pages"
        )))
    }

    /// Pushes an artifact that refers to an image, and checks that the registry lists it.
    pub async fn attach(
        &self,
        repository: &Repository,
        image: &RawManifest,
        artifact: &Artifact<'_>,
    ) -> Result<Attached, RegistryError> {
        let (config, _) = self.put_bytes(repository, EMPTY_TYPE, EMPTY).await?;
        let layer = self
            .put_new_bytes(repository, artifact.media_type, artifact.content)
            .await?;
        let manifest = artifact.manifest(image, &config, &layer);
        let digest = manifest.digest();
        let answer = self.put_by_digest(repository, &manifest).await?;
        let mut list = None;
        if answer.header(SUBJECT_HEADER).is_none() {
            self.list_in_fallback(repository, &image.digest(), artifact, &manifest)
                .await?;
            list = Some(fallback_tag(&image.digest()));
        }
        let listed = self
            .listed_referrers(repository, &image.digest(), &[artifact.media_type])
            .await?;
        let mut listed = listed.iter().flatten();
        if listed.any(|referrer| referrer.digest == digest) {
            return Ok(Attached { digest, list });
        }
        let reference = ManifestReference::Digest(digest);
        let subject = Subject::write(repository, Some(&reference));
        Err(subject
            .invalid("the registry accepted it, but does not list it among the image's referrers"))
    }

    /// The single layer of an artifact, by which its content is read.
    pub async fn artifact_layer(
        &self,
        repository: &Repository,
        artifact: &Digest,
    ) -> Result<Descriptor, RegistryError> {
        let reference = ManifestReference::Digest(artifact.clone());
        let subject = Subject::read(repository, Some(&reference));
        let (raw, _) = self.manifest(&subject).await?;
        if raw.bytes.len() > ARTIFACT_LIMIT {
            return Err(subject.invalid(&format!("it has more than {ARTIFACT_LIMIT} bytes")));
        }
        let layers = manifest::layers(&raw).map_err(|why| subject.invalid(&why))?;
        match <[Descriptor; 1]>::try_from(layers) {
            Ok([layer]) => Ok(layer),
            Err(_) => Err(subject.invalid("it has not exactly one layer")),
        }
    }

    /// The content of a layer of an artifact.
    pub async fn artifact_blob(
        &self,
        repository: &Repository,
        artifact: &Digest,
        layer: &Descriptor,
    ) -> Result<Vec<u8>, RegistryError> {
        let reference = ManifestReference::Digest(artifact.clone());
        let subject = Subject::read(repository, Some(&reference));
        self.blob(&subject, layer).await
    }

    async fn fallback(
        &self,
        repository: &Repository,
        image: &Digest,
    ) -> Result<Option<RawManifest>, RegistryError> {
        let reference = ManifestReference::Tag(fallback_tag(image));
        let subject = Subject::read(repository, Some(&reference));
        match self.manifest(&subject).await {
            // GitLab's registry reads such a tag as the digest, and answers with the image itself
            // (<https://github.com/oras-project/oras-go/issues/1396>).
            Ok((raw, _)) if raw.digest() == *image => Ok(None),
            Ok((raw, _)) => Ok(Some(raw)),
            Err(RegistryError::ImageNotFound { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Adds an artifact to the index that stands in for the registry's own list.
    async fn list_in_fallback(
        &self,
        repository: &Repository,
        image: &Digest,
        artifact: &Artifact<'_>,
        manifest: &RawManifest,
    ) -> Result<(), RegistryError> {
        let tag = fallback_tag(image);
        let mut entries = match self.fallback(repository, image).await? {
            Some(former) => entries(repository, &tag, &former)?,
            None => Vec::new(),
        };
        entries.push(json!({
            "mediaType": manifest.media_type,
            "digest": manifest.digest().as_str(),
            "size": manifest.bytes.len(),
            "artifactType": artifact.media_type,
            "annotations": artifact.annotations,
        }));
        let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
        let index = RawManifest {
            media_type: OCI_INDEX.to_owned(),
            bytes: index.to_string().into_bytes(),
        };
        self.put_manifest(repository, &tag, &index).await
    }
}

impl Artifact<'_> {
    fn manifest(
        &self,
        image: &RawManifest,
        config: &Descriptor,
        layer: &Descriptor,
    ) -> RawManifest {
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "artifactType": self.media_type,
            "config": {"mediaType": config.media_type, "digest": config.digest.as_str(), "size": config.size},
            "layers": [{"mediaType": layer.media_type, "digest": layer.digest.as_str(), "size": layer.size}],
            "subject": {"mediaType": image.media_type, "digest": image.digest().as_str(), "size": image.bytes.len()},
            "annotations": self.annotations,
        });
        RawManifest {
            media_type: OCI_MANIFEST.to_owned(),
            bytes: manifest.to_string().into_bytes(),
        }
    }
}

impl Subject<'_> {
    /// The wanted entries of a list of referrers; what the others hold does not matter.
    fn referrers(
        &self,
        index: &[u8],
        types: &[&str],
    ) -> Result<Vec<Result<Referrer, RegistryError>>, RegistryError> {
        let unreadable =
            |why: &str| self.invalid(&format!("the list of referrers cannot be read: {why}"));
        let index: Value =
            serde_json::from_slice(index).map_err(|error| unreadable(&error.to_string()))?;
        let entries = match &index["manifests"] {
            Value::Array(entries) => entries.as_slice(),
            // Go writes an empty list so.
            Value::Null if index.get("manifests").is_some() => &[],
            _ => return Err(unreadable("it is not an index")),
        };
        // Registries need not filter, and the index under a tag is not filtered.
        let wanted = entries.iter().filter_map(|entry| {
            let named = entry["artifactType"].as_str()?;
            types.contains(&named).then_some((entry, named))
        });
        let referrers = wanted.map(|(entry, artifact_type)| {
            let digest = entry["digest"].as_str().unwrap_or_default().parse();
            let digest = digest.map_err(|error: ReferenceError| unreadable(&error.to_string()))?;
            let annotations = match &entry["annotations"] {
                Value::Null => BTreeMap::new(),
                given => {
                    BTreeMap::deserialize(given).map_err(|error| unreadable(&error.to_string()))?
                }
            };
            Ok(Referrer {
                digest,
                artifact_type: artifact_type.to_owned(),
                annotations,
            })
        });
        Ok(referrers.collect())
    }
}

/// Returns true if the registry has no list of referrers. ECR has been seen to answer 405:
/// <https://github.com/aws/containers-roadmap/issues/2783>.
fn has_no_list(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::NOT_FOUND | StatusCode::METHOD_NOT_ALLOWED
    )
}

/// The entries of an index under a tag; one that cannot be read is not written over.
fn entries(
    repository: &Repository,
    tag: &Tag,
    index: &RawManifest,
) -> Result<Vec<Value>, RegistryError> {
    let reference = ManifestReference::Tag(tag.clone());
    let subject = Subject::write(repository, Some(&reference));
    let read: Result<Value, _> = serde_json::from_slice(&index.bytes);
    let read = read.map_err(|error| subject.invalid(&error.to_string()))?;
    let entries = read["manifests"].as_array().cloned();
    entries.ok_or_else(|| subject.invalid("it is not an index"))
}

/// The tag of the index that stands in for the registry's own list
/// (<https://github.com/opencontainers/distribution-spec/blob/main/spec.md#referrers-tag-schema>).
fn fallback_tag(image: &Digest) -> Tag {
    let tag = image.as_str().replace(':', "-").parse();
    tag.unwrap_or_else(|_| unreachable!("a digest with a dash for its colon is a tag"))
}
