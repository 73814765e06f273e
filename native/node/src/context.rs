//! Settings of the job and facts about the agent, as the shim passes them.

use std::collections::HashMap;

use anyhow::{Context as _, Result};
use falcon_patch_core::inputs;
use falcon_patch_core::{Agent, Origin};
use napi_derive::napi;

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
    /// The parameters of the service connection that `awsConnection` names, by the core's names.
    pub connection: Option<HashMap<String, String>>,
    /// The job's variables for AWS, by the core's names.
    pub variables: HashMap<String, String>,
    /// Request for the connection's OIDC token.
    pub token_request: Option<TokenRequest>,
}

impl TryFrom<AwsContext> for inputs::AwsContext {
    type Error = anyhow::Error;

    fn try_from(aws: AwsContext) -> Result<Self> {
        let connection = aws.connection.map(inputs::from_record).transpose();
        let variables = inputs::from_record(aws.variables);
        Ok(Self {
            connection: connection.context("The shim's service connection is not the addon's")?,
            variables: variables.context("The shim's variables are not those of the addon")?,
            token_request: aws.token_request.map(|request| inputs::TokenRequest {
                url: request.url,
                job_token: request.job_token,
                hosts: request.hosts,
            }),
        })
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
    /// The folder of the job's sources.
    pub sources_directory: Option<String>,
    /// True if the job runs in a container.
    pub in_container_job: bool,
    /// `DOCKER_HOST`, where it is set.
    pub docker_host: Option<String>,
    /// Folder of the certificates for the engine, where `DOCKER_TLS_VERIFY` or `DOCKER_TLS` is set.
    pub docker_certificates: Option<String>,
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
            sources_folder: agent.sources_directory.map(Into::into),
            in_container_job: agent.in_container_job,
            docker_host: agent.docker_host,
            docker_certificates: agent.docker_certificates.map(Into::into),
            origin: Origin {
                run: agent.run_url,
                repository: agent.repository_url,
                commit: agent.commit,
            },
        }
    }
}
