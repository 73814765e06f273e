//! The inputs of the task, as typed.

use serde::Deserialize;

/// Every input by its name in task.json; empty where nothing was given.
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
}
