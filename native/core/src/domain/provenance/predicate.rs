use serde::Deserialize;

use super::option_fields::OptionFields;
use super::record::Recipe;
use super::statement::StatementDetails;
use crate::domain::reference::digest::Digest;
use crate::report::cause::Cause;

/// The predicate of this task's statements, as far as it is read again.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Predicate {
    build_definition: BuildDefinition,
    run_details: RunDetails,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BuildDefinition {
    external_parameters: ExternalParameters,
    internal_parameters: InternalParameters,
    resolved_dependencies: Vec<Material>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ExternalParameters {
    source_image: Option<String>,
    sensor_image: Option<String>,
    sensor_version: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InternalParameters {
    options: String,
    /// A statement of an earlier version has none.
    #[serde(default)]
    option_fields: Fields,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Fields {
    falcon_cid: Option<String>,
    cloud_service: Option<String>,
    container_name: Option<String>,
    falconctl_options: Option<String>,
}

#[derive(Deserialize)]
struct Material {
    name: Option<String>,
    digest: MaterialDigest,
}

#[derive(Deserialize)]
struct MaterialDigest {
    sha256: Option<String>,
}

#[derive(Deserialize)]
struct RunDetails {
    metadata: Metadata,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    invocation_id: Option<String>,
    finished_on: Option<String>,
}

impl Predicate {
    /// The recipe that it names.
    ///
    /// # Errors
    /// The part that is missing or malformed.
    pub(super) fn recipe(&self) -> Result<Recipe, String> {
        let options = &self.build_definition.internal_parameters.options;
        Ok(Recipe {
            source: self.material("source")?,
            sensor: self
                .material("sensor")?
                .ok_or("its statement names no sensor")?,
            options: options
                .parse()
                .map_err(|_| "the digest of the options in its statement is malformed")?,
        })
    }

    fn material(&self, name: &str) -> Result<Option<Digest>, String> {
        let materials = self.build_definition.resolved_dependencies.iter();
        let mut named = materials.filter(|material| material.name.as_deref() == Some(name));
        match (named.next(), named.next()) {
            (None, _) => Ok(None),
            (Some(_), Some(_)) => Err(format!("its statement names more than one {name}")),
            (Some(only), None) => {
                let hex = only.digest.sha256.as_deref().unwrap_or_default();
                let digest = format!("sha256:{hex}").parse();
                let malformed = format!("the digest of the {name} in its statement is malformed");
                digest.map(Some).map_err(|_| malformed)
            }
        }
    }

    pub(super) fn sensor_version(&self) -> Option<&str> {
        let parameters = &self.build_definition.external_parameters;
        parameters.sensor_version.as_deref()
    }

    /// The options one by one, as far as it has them.
    pub(super) fn option_fields(&self) -> OptionFields {
        let fields = &self.build_definition.internal_parameters.option_fields;
        OptionFields::from_values([
            fields.falcon_cid.clone(),
            fields.cloud_service.clone(),
            fields.container_name.clone(),
            fields.falconctl_options.clone(),
        ])
    }

    /// The details for people, each a line of limited length: without a signature they are anyone's words.
    pub(super) fn details(self) -> StatementDetails {
        let line = |text: Option<String>| text.map(|text| Cause::said(&text).to_string());
        let parameters = self.build_definition.external_parameters;
        let metadata = self.run_details.metadata;
        StatementDetails {
            source: line(parameters.source_image),
            sensor: line(parameters.sensor_image),
            run: line(metadata.invocation_id),
            finished: line(metadata.finished_on),
        }
    }
}
