//! The statement itself: in-toto's form with SLSA's provenance as predicate
//! (<https://slsa.dev/spec/v1.0/provenance>).

use serde_json::{Value, json};

use super::attestation::{PREDICATE_TYPE, STATEMENT_FORM};
use super::option_fields::OptionFields;
use super::record::Recipe;
use crate::domain::agent::Origin;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

/// The kind of build; its parameters are those below.
pub(super) const BUILD_TYPE: &str = "urn:falcon-arm64-patch:patch:v1";

/// The builder that statements name: this task.
pub(crate) const BUILDER: &str = "urn:falcon-arm64-patch:task";

/// A patch that is to be stated.
#[derive(Clone, Copy, Debug)]
pub struct StatementInput<'a> {
    /// Repository of the image.
    pub target: &'a Repository,
    /// The tag that it was made for.
    pub target_tag: &'a Tag,
    /// The image.
    pub image: &'a Digest,
    /// The source's name, and its repository where it is in a registry.
    pub source: (&'a str, Option<&'a Repository>),
    /// The sensor's name and repository.
    pub sensor: (&'a str, &'a Repository),
    /// The sensor's version.
    pub sensor_version: Option<&'a str>,
    /// The digests of both.
    pub recipe: &'a Recipe,
    /// Options that falconutil was given.
    pub options: &'a FalconOptions,
    /// The entry of the graft cache that falconutil's answer was taken from; none where falconutil ran.
    pub graft_entry: Option<&'a Digest>,
    /// Origin of the run.
    pub origin: &'a Origin,
    /// Time when the image was pushed, in the form of RFC 3339.
    pub finished: &'a str,
}

impl StatementInput<'_> {
    /// The statement; it holds no secret.
    #[must_use]
    pub fn statement(&self) -> Value {
        let (source_name, source) = self.source;
        let (sensor_name, sensor) = self.sensor;
        let mut materials = Vec::new();
        if let (Some(repository), Some(digest)) = (source, &self.recipe.source) {
            materials.push(material("source", repository, digest));
        }
        materials.push(material("sensor", sensor, &self.recipe.sensor));
        materials.extend(
            self.graft_entry
                .map(|entry| material("graft-entry", self.target, entry)),
        );
        if let (Some(repository), Some(commit)) = (&self.origin.repository, &self.origin.commit) {
            let uri = format!("git+{repository}");
            materials
                .push(json!({"name": "pipeline", "uri": uri, "digest": {"gitCommit": commit}}));
        }
        json!({
            "_type": STATEMENT_FORM,
            "subject": [{"name": self.target.tagged(self.target_tag), "digest": digest_set(self.image)}],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "buildDefinition": {
                    "buildType": BUILD_TYPE,
                    "externalParameters": {
                        "sourceImage": source_name,
                        "sensorImage": sensor_name,
                        "sensorVersion": self.sensor_version,
                        "cloudService": self.options.cloud_service,
                        "containerName": self.options.container_name,
                    },
                    "internalParameters": {
                        "options": self.recipe.options.as_str(),
                        "optionFields": OptionFields::of(self.options).named(),
                    },
                    "resolvedDependencies": materials,
                },
                "runDetails": {
                    "builder": {"id": BUILDER, "version": {"falcon-arm64-patch": env!("CARGO_PKG_VERSION")}},
                    "metadata": {"invocationId": self.origin.run, "finishedOn": self.finished},
                },
            },
        })
    }
}

/// Content of a statement beside the digests, for people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StatementDetails {
    /// The source's name.
    pub source: Option<String>,
    /// The sensor's name.
    pub sensor: Option<String>,
    /// The page of the run that made the image.
    pub run: Option<String>,
    /// Time when the image was pushed.
    pub finished: Option<String>,
}

fn material(name: &str, repository: &Repository, digest: &Digest) -> Value {
    json!({"name": name, "uri": format!("oci://{}", repository.at(digest)), "digest": digest_set(digest)})
}

fn digest_set(digest: &Digest) -> Value {
    let (algorithm, hex) = digest.as_str().split_once(':').unwrap_or_default();
    json!({algorithm: hex})
}
