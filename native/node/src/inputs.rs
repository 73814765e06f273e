//! The task's inputs and the agent's, as the shim passes them.

use falcon_patch_core::inputs::{self, Inputs};
use falcon_patch_core::{Agent, Origin};
use napi_derive::napi;

macro_rules! task_inputs {
    ($($name:ident),+ $(,)?) => {
        /// Every input by its name in task.json, as typed; empty where nothing was given.
        #[napi(object, object_to_js = false)]
        pub struct TaskInputs { $(pub $name: String,)+ }

        impl TaskInputs {
            /// The inputs with what stands behind them.
            pub(crate) fn with(self, aws: AwsContext) -> Inputs {
                Inputs { $($name: self.$name,)+ aws_context: aws.into() }
            }
        }
    };
}

task_inputs! {
    action,
    source_image,
    source_location,
    target_image,
    additional_tags,
    sensor_source,
    sensor_image,
    sensor_version,
    sensor_mirror,
    minimum_sensor_version,
    falcon_cid,
    falcon_client_id,
    falcon_client_secret,
    falcon_region,
    falcon_api_url,
    falcon_registry,
    cloud_service,
    container_name,
    falconctl_options,
    aws_connection,
    aws_region,
    aws_account,
    aws_access_key_id,
    aws_secret_access_key,
    aws_session_token,
    aws_role_arn,
    aws_external_id,
    emulation,
    emulator_image,
    builder_name,
    strategy,
    skip_unchanged,
    create_repository,
    staging_registry,
    staging_registry_image,
    engine_access,
    keep_local_images,
    task_definition,
    task_definition_output,
    register_task_definition,
}

/// A struct of texts that the core has as well, field by field.
macro_rules! texts {
    ($(#[$about:meta])+ $name:ident { $($(#[$doc:meta])+ $field:ident),+ $(,)? }) => {
        $(#[$about])+
        #[napi(object, object_to_js = false)]
        pub struct $name { $($(#[$doc])+ pub $field: String,)+ }

        impl From<$name> for inputs::$name {
            fn from(given: $name) -> Self {
                Self { $($field: given.$field,)+ }
            }
        }
    };
}

texts! {
    /// The parameters of a service connection to AWS, as stored; empty where nothing was given.
    AwsConnection {
        /// `username`.
        access_key_id,
        /// `password`.
        secret_access_key,
        /// `sessionToken`.
        session_token,
        /// `assumeRoleArn`.
        role_arn,
        /// `roleSessionName`.
        role_session_name,
        /// `externalId`.
        external_id,
        /// `useOIDC`, the text `true` or `false`.
        use_oidc,
    }
}

texts! {
    /// The job's variables that the AWS Toolkit for Azure DevOps reads; empty where nothing was given.
    AwsVariables {
        /// `AWS.AccessKeyID`.
        access_key_id,
        /// `AWS.SecretAccessKey`.
        secret_access_key,
        /// `AWS.SessionToken`.
        session_token,
        /// `AWS.AssumeRoleArn`.
        role_arn,
        /// `AWS.RoleSessionName`.
        role_session_name,
        /// `AWS.ExternalId`.
        external_id,
        /// `AWS.Region`.
        region,
        /// `aws.rolecredential.maxduration`.
        role_duration,
    }
}

/// How to ask for an OIDC token.
#[napi(object, object_to_js = false)]
pub struct TokenRequest {
    /// The address to post to, with everything that its query needs.
    pub url: String,
    /// What proves that the job asks.
    pub job_token: String,
    /// The hosts that may see the job's token; a leading dot stands for any host below.
    pub hosts: Vec<String>,
}

/// What the job has for signing in to AWS beside the inputs.
#[napi(object, object_to_js = false)]
pub struct AwsContext {
    /// What is stored behind `awsConnection`.
    pub connection: Option<AwsConnection>,
    /// The job's variables for AWS.
    pub variables: AwsVariables,
    /// How to ask for the connection's OIDC token.
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

/// What the shim knows of the agent and the job.
#[napi(object, object_to_js = false)]
pub struct AgentContext {
    /// The same for every run on one agent, and no other's.
    pub identity: String,
    /// The same for every step of one job, and no other's.
    pub job: String,
    /// A folder that the agent empties after each job.
    pub temp_directory: String,
    /// A folder that stays.
    pub work_directory: String,
    /// Whether the job runs in a container.
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
