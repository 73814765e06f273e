//! A deployment as a JavaScript object.

use falcon_patch_core::outcome;
use napi_derive::napi;

use crate::verified_image::VerifiedImage;

/// A deployment to an ECS service.
#[napi(object, object_from_js = false)]
pub struct ServiceDeployment {
    /// The image, as it was verified.
    pub image: VerifiedImage,
    /// The name of the cluster.
    pub cluster: String,
    /// The name of the service.
    pub service: String,
    /// The state of the deployment at the end of the run.
    #[napi(ts_type = "'unneeded' | 'planned' | 'started' | 'completed'")]
    pub result: String,
    /// True if a deployment began, or would.
    pub changed: bool,
    /// The ID of the deployment, where one began or was under way.
    pub deployment_id: Option<String>,
    /// The ARN of the revision that is deployed; missing while it is only planned.
    pub task_definition_arn: Option<String>,
    /// The file with the finished ECS task definition.
    pub task_definition_path: Option<String>,
    /// Changes that the run made, a phrase each.
    pub effects: Vec<String>,
    /// Leftovers that could not be cleaned up, a sentence each.
    pub cleanup: Vec<String>,
}

impl From<outcome::Deployed> for ServiceDeployment {
    fn from(deployed: outcome::Deployed) -> Self {
        let result = match deployed.result {
            outcome::DeploymentResult::Unneeded => "unneeded",
            outcome::DeploymentResult::Planned => "planned",
            outcome::DeploymentResult::Started => "started",
            outcome::DeploymentResult::Completed => "completed",
        };
        Self {
            changed: deployed.changed,
            image: deployed.image.into(),
            cluster: deployed.cluster,
            service: deployed.service,
            result: result.to_owned(),
            deployment_id: deployed.deployment,
            task_definition_arn: deployed.revision.map(|revision| revision.arn),
            task_definition_path: deployed
                .task_definition
                .map(|path| path.display().to_string()),
            effects: deployed.effects.iter().map(ToString::to_string).collect(),
            cleanup: deployed.cleanup,
        }
    }
}
