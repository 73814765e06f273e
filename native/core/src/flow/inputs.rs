//! The inputs of the task, as typed.

use serde::Deserialize;

/// Every input by its name in task.json, and what stands behind some of them; empty where nothing
/// was given.
///
/// What a value means, and whether it can be, is [`Config`](crate::config::Config)'s to say.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
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
    pub skip_unchanged: String,
    pub create_repository: String,
    pub staging_registry: String,
    pub staging_registry_image: String,
    pub engine_access: String,
    pub keep_local_images: String,
    pub task_definition: String,
    pub task_definition_output: String,
    pub register_task_definition: String,
    pub aws_context: AwsContext,
}

/// What the job has for signing in to AWS beside the inputs.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AwsContext {
    /// What is stored behind `awsConnection`; none if the job was not given it.
    pub connection: Option<AwsConnection>,
    /// The job's variables for AWS.
    pub variables: AwsVariables,
    /// How to ask for the connection's OIDC token; none if nobody issues such tokens here.
    pub token_request: Option<TokenRequest>,
}

/// The parameters of a service connection to AWS, as stored; empty where nothing was given.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AwsConnection {
    /// `username`: the access key's ID.
    pub access_key_id: String,
    /// `password`: the access key's secret.
    pub secret_access_key: String,
    /// `sessionToken`: the token of temporary keys.
    pub session_token: String,
    /// `assumeRoleArn`: the role to assume.
    pub role_arn: String,
    /// `roleSessionName`: what the role's session is called.
    pub role_session_name: String,
    /// `externalId`: what the role's trust policy may demand.
    pub external_id: String,
    /// `useOIDC`: the text `true` or `false`.
    pub use_oidc: String,
}

/// The job's variables that the AWS Toolkit for Azure DevOps reads; empty where nothing was given.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
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

/// How to ask for an OIDC token.
#[derive(Clone, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct TokenRequest {
    /// The address to post to, with everything that its query needs.
    pub url: String,
    /// What proves that the job asks.
    pub job_token: String,
    /// The hosts that may see the job's token; a leading dot stands for any host below.
    pub hosts: Vec<String>,
}
