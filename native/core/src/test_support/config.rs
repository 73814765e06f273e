//! Inputs that are good, for tests to change.

use crate::domain::falcon::options::FalconOptions;
use crate::flow::config::patch::PatchConfig;
use crate::flow::config::read::Config;
use crate::flow::inputs::Inputs;
use crate::report::problem::Problem;
use crate::report::secret::Secret;

/// A registry of ECR.
pub const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// A customer ID.
pub const CUSTOMER: &str = "0123456789abcdef0123456789abcdef-12";

/// Options of falconutil, with a secret beside the customer ID.
pub fn falcon_options() -> FalconOptions {
    FalconOptions {
        customer_id: CUSTOMER.parse().expect("an ID"),
        cloud_service: Some("ECS_FARGATE".to_owned()),
        container_name: None,
        falconctl_options: Some(Secret::new("--provisioning-token=A1B2C3D4")),
    }
}

/// The four inputs that are enough for a patch.
pub fn inputs() -> Inputs {
    Inputs {
        source_image: format!("{HOST}/app/web:1"),
        target_image: format!("{HOST}/app/web:1-falcon"),
        sensor_image: format!("{HOST}/sensor:7.39.0-7802"),
        falcon_cid: CUSTOMER.to_owned(),
        ..Inputs::default()
    }
}

/// The inputs that are enough for a deployment.
pub fn deploy_inputs() -> Inputs {
    Inputs {
        action: "deploy".to_owned(),
        target_image: format!("{HOST}/app/web:1-falcon"),
        ecs_cluster: "prod".to_owned(),
        ecs_service: "web".to_owned(),
        ..Inputs::default()
    }
}

/// The configuration of the four inputs after a change.
pub fn config(change: impl FnOnce(&mut Inputs)) -> PatchConfig {
    let mut inputs = inputs();
    change(&mut inputs);
    read(&inputs).expect("the inputs of a test are good")
}

/// Reads inputs that ask for a patch.
pub fn read(inputs: &Inputs) -> Result<PatchConfig, Problem> {
    match Config::from_inputs(inputs)? {
        Config::Patch(config) => Ok(*config),
        other => panic!("a patch was expected: {other:?}"),
    }
}
