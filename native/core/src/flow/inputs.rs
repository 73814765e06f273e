//! The inputs of the task as typed, and the settings of the job beside them.

use std::collections::HashMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, MapDeserializer};

use crate::domain::falcon::cloud_service::probably_meant;
use crate::report::code::Code;

/// Every input as text, empty where nothing was given. This is the core's one list of their names, which task.json
/// spells in camel case. Inputs that only choose the fields of the form do not get here.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[expect(missing_docs, reason = "task.json documents each input by this name")]
pub struct Inputs {
    pub action: String,
    pub source_image: String,
    pub source_location: String,
    pub target_image: String,
    pub additional_tags: String,
    pub sensor_source: String,
    pub sensor_image: String,
    pub sensor_version: String,
    pub sensor_mirror: String,
    pub minimum_sensor_version: String,
    pub falcon_connection: String,
    pub falcon_cid: String,
    pub falcon_client_id: String,
    pub falcon_client_secret: String,
    pub falcon_region: String,
    pub falcon_api_url: String,
    pub falcon_registry: String,
    pub cloud_service: String,
    pub container_name: String,
    pub falconctl_options: String,
    pub aws_connection: String,
    pub aws_region: String,
    pub aws_account: String,
    pub aws_access_key_id: String,
    pub aws_secret_access_key: String,
    pub aws_session_token: String,
    pub aws_role_arn: String,
    pub aws_external_id: String,
    pub emulation: String,
    pub emulator_image: String,
    pub builder_name: String,
    pub strategy: String,
    pub graft_cache: String,
    pub skip_unchanged: String,
    pub create_repository: String,
    pub staging_registry: String,
    pub staging_registry_image: String,
    pub engine_access: String,
    pub keep_local_images: String,
    pub task_definition: String,
    pub task_definition_output: String,
    pub register_task_definition: String,
    pub signing_key: String,
    pub trusted_keys: String,
    pub ecs_cluster: String,
    pub ecs_service: String,
    pub wait_for_service: String,
    pub deploy_timeout_minutes: String,
    pub force_new_deployment: String,
    #[serde(skip)]
    pub aws_context: AwsContext,
    /// The service connection that `falconConnection` names; none if the job does not have it.
    #[serde(skip)]
    pub stored_falcon: Option<FalconConnection>,
    /// Inputs of the step that this task does not have, but has one like it.
    #[serde(skip)]
    pub near_misses: Vec<NearMiss>,
}

/// A name that the step gives to an input, and that is nearly the name of one of this task's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NearMiss {
    /// The name as the agent hands it over, in upper case.
    pub name: String,
    /// The input that was probably meant.
    pub meant: String,
}

/// Likeness from which a name counts as another with a slip.
const ALIKE: f64 = 0.75;

impl Inputs {
    /// Reads the inputs from texts by name. An error names the input that is missing or unknown: a bug of this task.
    ///
    /// `others` are the names of the step's inputs beside these, in upper case.
    pub fn from_record(
        record: HashMap<String, String>,
        others: Vec<String>,
        aws_context: AwsContext,
        stored_falcon: Option<FalconConnection>,
    ) -> Result<Self, Error> {
        let near_misses = others
            .into_iter()
            .filter_map(|name| NearMiss::of(name, record.keys()))
            .collect();
        Ok(Self {
            aws_context,
            stored_falcon,
            near_misses,
            ..from_record(record)?
        })
    }

    /// Returns the cloud service that was probably meant by another text.
    pub(crate) fn cloud_service_meant(&self) -> Option<&'static str> {
        probably_meant(self.cloud_service.trim())
    }

    /// Returns slips that are no failures by themselves, each with its code and message.
    pub(crate) fn slips(&self) -> Vec<(Code, String)> {
        let names = self.near_misses.iter().map(|NearMiss { name, meant }| {
            let message = format!("The step has an input `{name}`, which this task does not know and ignores; did you mean `{meant}`?");
            (Code::InputUnknown, message)
        });
        let service = self.cloud_service_meant().map(|meant| {
            let given = self.cloud_service.trim();
            let message = format!(
                "`cloudService`: falconutil may not know `{given}`; did you mean `{meant}`?"
            );
            (Code::InputUnknownValue, message)
        });
        names.chain(service).collect()
    }
}

impl NearMiss {
    /// The input among `known` that a name is nearly the name of; none if it resembles none.
    fn of<'a>(name: String, known: impl Iterator<Item = &'a String>) -> Option<Self> {
        let nearest = known
            .map(|known| {
                let upper = known.to_uppercase();
                (strsim::normalized_damerau_levenshtein(&upper, &name), known)
            })
            .filter(|(likeness, _)| *likeness >= ALIKE)
            .max_by(|a, b| a.0.total_cmp(&b.0));
        let (_, meant) = nearest?;
        Some(Self {
            meant: meant.clone(),
            name,
        })
    }
}

/// Reads a value from texts by name. An error names the field that is missing or unknown: a bug of this task.
pub fn from_record<T: DeserializeOwned>(
    record: impl IntoIterator<Item = (String, String)>,
) -> Result<T, Error> {
    T::deserialize(MapDeserializer::new(record.into_iter()))
}

/// The values of a service connection for CrowdStrike, as stored; empty where nothing was given.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FalconConnection {
    /// `username`: the API client's ID.
    pub client_id: String,
    /// `password`: the API client's secret.
    pub client_secret: String,
    /// `customerId`: the customer ID with its checksum.
    pub customer_id: String,
    /// `region`: the tenant's cloud, or `auto`.
    pub region: String,
    /// `apiUrl`: another address than the cloud's API.
    pub api_url: String,
    /// `registry`: another host than the cloud's registry.
    pub registry: String,
}

/// Settings of the job for AWS, apart from the inputs.
#[derive(Clone, Default)]
pub struct AwsContext {
    /// The service connection that `awsConnection` names; none if the job does not have it.
    pub connection: Option<AwsConnection>,
    /// The job's variables for AWS.
    pub variables: AwsVariables,
    /// Request for the connection's OIDC token; none where no such tokens are issued.
    pub token_request: Option<TokenRequest>,
}

/// The parameters of a service connection to AWS, as stored; empty where nothing was given.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsConnection {
    /// `username`: the access key's ID.
    pub access_key_id: String,
    /// `password`: the access key's secret.
    pub secret_access_key: String,
    /// `sessionToken`: the token of temporary keys.
    pub session_token: String,
    /// `assumeRoleArn`: the role to assume.
    pub role_arn: String,
    /// `roleSessionName`: the name of the role's session.
    pub role_session_name: String,
    /// `externalId`: the ID that the role's trust policy may demand.
    pub external_id: String,
    /// `useOIDC`: the text `true` or `false`.
    pub use_oidc: String,
}

/// The job's variables that the AWS Toolkit for Azure DevOps reads; empty where nothing was given.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AwsVariables {
    /// `AWS.AccessKeyID`.
    pub access_key_id: String,
    /// `AWS.SecretAccessKey`.
    pub secret_access_key: String,
    /// `AWS.SessionToken`.
    pub session_token: String,
    /// `AWS.AssumeRoleArn`.
    pub role_arn: String,
    /// `AWS.RoleSessionName`.
    pub role_session_name: String,
    /// `AWS.ExternalId`.
    pub external_id: String,
    /// `AWS.Region`.
    pub region: String,
    /// `aws.rolecredential.maxduration`: the seconds that a role's session lasts.
    pub role_duration: String,
}

/// Request for an OIDC token.
#[derive(Clone, Default)]
pub struct TokenRequest {
    /// The address to post to, with its whole query.
    pub url: String,
    /// Proof that the request is the job's.
    pub job_token: String,
    /// The hosts that may see the job's token; a leading dot stands for any host below.
    pub hosts: Vec<String>,
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    /// A text for each input of task.json that is not for the form alone: its name.
    fn record() -> HashMap<String, String> {
        let read = |text| serde_json::from_str::<Value>(text).expect("valid JSON");
        let task = read(include_str!("../../../../task/task.json"));
        let recorded = read(include_str!("../../../../tests/package/input-names.json"));
        let list = |value: &Value| value.as_array().expect("a list").clone();
        let form = list(&recorded["formNames"]);
        let names = list(&task["inputs"])
            .into_iter()
            .map(|mut input| input["name"].take());
        let name = |name: Value| name.as_str().expect("a name").to_owned();
        names
            .filter(|name| !form.contains(name))
            .map(|input| (name(input.clone()), name(input)))
            .collect()
    }

    fn read(others: &[&str]) -> Inputs {
        let others = others.iter().map(|name| (*name).to_owned()).collect();
        Inputs::from_record(record(), others, AwsContext::default(), None).expect("the same names")
    }

    fn refusal(record: HashMap<String, String>) -> String {
        match Inputs::from_record(record, Vec::new(), AwsContext::default(), None) {
            Ok(_) => panic!("the record was accepted"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_inputs_are_those_of_task_json() {
        let inputs = read(&[]);
        assert_eq!(inputs.action, "action");
        assert_eq!(inputs.falcon_cid, "falconCid");
        assert_eq!(inputs.register_task_definition, "registerTaskDefinition");
    }

    #[test]
    fn a_missing_name_is_refused_whichever_it_is() {
        let names: Vec<_> = record().into_keys().collect();
        assert!(!names.is_empty());
        for name in names {
            let mut incomplete = record();
            incomplete.remove(&name);
            assert_eq!(refusal(incomplete), format!("missing field `{name}`"));
        }
    }

    #[test]
    fn an_unknown_name_is_refused() {
        for name in ["sourceimage", "source_image", "awsContext", "awsSignIn"] {
            let mut record = record();
            record.insert(name.to_owned(), String::new());
            let text = refusal(record);
            assert!(
                text.starts_with(&format!("unknown field `{name}`")),
                "{text}"
            );
        }
    }

    #[test]
    fn a_name_that_is_nearly_an_input_is_reported_with_that_input() {
        for (name, meant) in [
            ("FALCONCTLOPTION", "falconctlOptions"),
            ("SOURCEIMGE", "sourceImage"),
            ("TASKDEFINITON", "taskDefinition"),
            ("FALCON_CID", "falconCid"),
            ("AWSREGIONS", "awsRegion"),
        ] {
            let misses = read(&[name]).near_misses;
            let misses: Vec<&str> = misses.iter().map(|miss| miss.meant.as_str()).collect();
            assert_eq!(misses, [meant], "{name}");
        }
        let others = [
            "COMMAND",
            "SCRIPT",
            "CONTAINERREGISTRY",
            "TARGETTYPE",
            "IMAGE",
        ];
        assert_eq!(read(&others).near_misses, []);
    }

    #[test]
    fn slips_are_reported_each_with_its_question() {
        let slips = |service: &str, others: &[&str]| -> Vec<(Code, String)> {
            let inputs = Inputs {
                cloud_service: service.to_owned(),
                ..read(others)
            };
            inputs.slips()
        };
        for service in ["", "none", "ECS_FARGATE", "ACA", "SOMETHING_NEW"] {
            assert_eq!(slips(service, &[]), [], "{service}");
        }
        let both = slips("ECS_FARGETE", &["FALCONCTLOPTION"]);
        let codes: Vec<Code> = both.iter().map(|(code, _)| *code).collect();
        assert_eq!(codes, [Code::InputUnknown, Code::InputUnknownValue]);
        assert!(both[0].1.ends_with("did you mean `falconctlOptions`?"));
        assert!(both[1].1.ends_with("did you mean `ECS_FARGATE`?"));
    }
}
