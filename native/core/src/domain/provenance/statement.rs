//! The statement itself: in-toto's form with SLSA's provenance as predicate
//! (<https://slsa.dev/spec/v1.0/provenance>).

use serde_json::{Value, json};

use super::record::{Provenance, Recipe, RecordError};
use crate::domain::agent::Origin;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;

const STATEMENT: &str = "https://in-toto.io/Statement/v1";

const PREDICATE: &str = "https://slsa.dev/provenance/v1";

/// The kind of build; its parameters are those below.
const BUILD_TYPE: &str = "urn:falcon-arm64-patch:patch:v1";

const BUILDER: &str = "urn:falcon-arm64-patch:task";

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
        if let (Some(repository), Some(commit)) = (&self.origin.repository, &self.origin.commit) {
            let uri = format!("git+{repository}");
            materials
                .push(json!({"name": "pipeline", "uri": uri, "digest": {"gitCommit": commit}}));
        }
        json!({
            "_type": STATEMENT,
            "subject": [{"name": self.target.tagged(self.target_tag), "digest": digest_set(self.image)}],
            "predicateType": PREDICATE,
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
                    "internalParameters": {"options": self.recipe.options.as_str()},
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

impl StatementDetails {
    /// Reads a statement about an image; none if it is another statement, or about another image.
    fn read(bytes: &[u8], image: &Digest) -> Option<Self> {
        let statement: Value = serde_json::from_slice(bytes).ok()?;
        let predicate = &statement["predicate"];
        let subjects = statement["subject"].as_array()?;
        let is_about = |subject: &Value| subject["digest"] == digest_set(image);
        if statement["_type"] != STATEMENT
            || predicate["buildDefinition"]["buildType"] != BUILD_TYPE
            || !subjects.iter().any(is_about)
        {
            return None;
        }
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let parameters = &predicate["buildDefinition"]["externalParameters"];
        let metadata = &predicate["runDetails"]["metadata"];
        Some(Self {
            source: text(&parameters["sourceImage"]),
            sensor: text(&parameters["sensorImage"]),
            run: text(&metadata["invocationId"]),
            finished: text(&metadata["finishedOn"]),
        })
    }
}

/// A record of how an image was made. Everyone who can push to the repository can have written it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The digests that it names.
    pub provenance: Provenance,
    /// The details for people.
    pub told: StatementDetails,
}

impl Record {
    /// Completes a record of an image with the details of its statement.
    ///
    /// # Errors
    /// The statement is not one of ours about the image.
    pub fn read(
        provenance: Provenance,
        statement: &[u8],
        image: &Digest,
    ) -> Result<Self, RecordError> {
        let Some(told) = StatementDetails::read(statement, image) else {
            let why = "its content is not a statement of this task about the image";
            return Err(RecordError::new(&provenance.artifact, why));
        };
        Ok(Self { provenance, told })
    }
}

fn material(name: &str, repository: &Repository, digest: &Digest) -> Value {
    json!({"name": name, "uri": format!("oci://{}", repository.at(digest)), "digest": digest_set(digest)})
}

fn digest_set(digest: &Digest) -> Value {
    let (algorithm, hex) = digest.as_str().split_once(':').unwrap_or_default();
    json!({algorithm: hex})
}
