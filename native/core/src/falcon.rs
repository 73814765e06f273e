//! `CrowdStrike` Falcon: the customer ID, the sensor, and the vendor's falconutil.

mod customer_id;
pub mod falconutil;
mod version;

pub use customer_id::{CustomerId, CustomerIdError};
pub use version::sensor_version;

use crate::secret::Secret;

/// What falconutil is told beside the images.
#[derive(Clone, Debug)]
pub struct FalconOptions {
    /// The customer ID with its checksum.
    pub customer_id: CustomerId,
    /// The cloud service, such as `ECS_FARGATE`; none leaves the choice to the sensor.
    pub cloud_service: Option<String>,
    /// The container's name in the ECS task definition.
    pub container_name: Option<String>,
    /// Options for falconctl, which may hold a provisioning token.
    pub falconctl_options: Option<Secret>,
}

/// The program that a patched image starts first; the source's entrypoint follows it.
pub const FALCON_ENTRYPOINT: &str = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

/// The environment variable that every patched image has.
pub const SENSOR_ROOT_VARIABLE: &str = "__CS_FALCON_SENSOR_ROOT";
