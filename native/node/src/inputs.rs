//! The task's inputs and the agent's, as the shim passes them.

use falcon_patch_core::config::Agent;
use falcon_patch_core::inputs::Inputs;
use napi_derive::napi;

macro_rules! task_inputs {
    ($($name:ident),+ $(,)?) => {
        /// Every input by its name in task.json, as typed; empty where nothing was given.
        #[napi(object, object_to_js = false)]
        pub struct TaskInputs { $(pub $name: String,)+ }

        impl From<TaskInputs> for Inputs {
            fn from(inputs: TaskInputs) -> Self {
                Self { $($name: inputs.$name,)+ }
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
        }
    }
}
