//! Settings of the job and facts about the agent, as the shim passes them.

use falcon_patch_core::inputs;
use falcon_patch_core::{Agent, Origin};
use napi_derive::napi;

/// The parameters of a service connection to AWS, as stored; empty where nothing was given.
#[napi(object, object_to_js = false)]
pub struct AwsConnection {
    /// `username`.
    pub access_key_id: String,
    /// `password`.
    pub secret_access_key: String,
    /// `sessionToken`.
    pub session_token: String,
    /// `assumeRoleArn`.
    pub role_arn: String,
    /// `roleSessionName`.
    pub role_session_name: String,
    /// `externalId`.
    pub external_id: String,
    /// `useOIDC`, the text `true` or `false`.
    pub use_oidc: String,
}

impl From<AwsConnection> for inputs::AwsConnection {
    fn from(connection: AwsConnection) -> Self {
        Self {
            access_key_id: connection.access_key_id,
            secret_access_key: connection.secret_access_key,
            session_token: connection.session_token,
            role_arn: connection.role_arn,
            role_session_name: connection.role_session_name,
            external_id: connection.external_id,
            use_oidc: connection.use_oidc,
        }
    }
}

/// The job's variables that the AWS Toolkit for Azure DevOps reads; empty where nothing was given.
#[napi(object, object_to_js = false)]
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
    /// `aws.rolecredential.maxduration`.
    pub role_duration: String,
}

impl From<AwsVariables> for inputs::AwsVariables {
    fn from(variables: AwsVariables) -> Self {
        Self {
            access_key_id: variables.access_key_id,
            secret_access_key: variables.secret_access_key,
            session_token: variables.session_token,
            role_arn: variables.role_arn,
            role_session_name: variables.role_session_name,
            external_id: variables.external_id,
            region: variables.region,
            role_duration: variables.role_duration,
        }
    }
}

/// Request for an OIDC token.
#[napi(object, object_to_js = false)]
pub struct TokenRequest {
    /// The address to post to, with its whole query.
    pub url: String,
    /// Proof that the request is the job's.
    pub job_token: String,
    /// The hosts that may see the job's token; a leading dot stands for any host below.
    pub hosts: Vec<String>,
}

/// Settings of the job for AWS, apart from the inputs.
#[napi(object, object_to_js = false)]
pub struct AwsContext {
    /// The service connection that `awsConnection` names.
    pub connection: Option<AwsConnection>,
    /// The job's variables for AWS.
    pub variables: AwsVariables,
    /// Request for the connection's OIDC token.
    pub token_request: Option<TokenRequest>,
}

impl From<AwsContext> for inputs::AwsContext {
    fn from(aws: AwsContext) -> Self {
        Self {
            connection: aws.connection.map(Into::into),
            variables: aws.variables.into(),
            token_request: aws.token_request.map(|request| inputs::TokenRequest {
                url: request.url,
                job_token: request.job_token,
                hosts: request.hosts,
            }),
        }
    }
}

/// Facts about the agent and the job.
#[napi(object, object_to_js = false)]
pub struct AgentContext {
    /// A text that is the same for every run on one agent, and for no other agent's.
    pub identity: String,
    /// A text that is the same for every step of one job, and for no other job's.
    pub job: String,
    /// A folder that the agent empties after each job.
    pub temp_directory: String,
    /// A folder that stays.
    pub work_directory: String,
    /// True if the job runs in a container.
    pub in_container_job: bool,
    /// `DOCKER_HOST`, where it is set.
    pub docker_host: Option<String>,
    /// The page of the run.
    pub run_url: Option<String>,
    /// The repository that holds the pipeline, without credentials.
    pub repository_url: Option<String>,
    /// The commit that the pipeline runs on.
    pub commit: Option<String>,
}

impl From<AgentContext> for Agent {
    fn from(agent: AgentContext) -> Self {
        Self {
            identity: agent.identity,
            job: agent.job,
            temp_folder: agent.temp_directory.into(),
            work_folder: agent.work_directory.into(),
            in_container_job: agent.in_container_job,
            docker_host: agent.docker_host.filter(|host| !host.is_empty()),
            origin: Origin {
                run: agent.run_url,
                repository: agent.repository_url,
                commit: agent.commit,
            },
        }
    }
}
