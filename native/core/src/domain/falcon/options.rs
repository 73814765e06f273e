//! `CrowdStrike` Falcon: the customer ID, the sensor, and the vendor's falconutil.

use super::customer_id::CustomerId;
use crate::report::secret::Secret;

/// Options that falconutil is given beside the images, as far as the inputs say them.
#[derive(Clone, Debug)]
pub struct FalconSettings {
    /// The customer ID with its checksum; none has CrowdStrike asked for it.
    pub customer_id: Option<CustomerId>,
    /// The cloud service, such as `ECS_FARGATE`; none leaves the choice to the sensor.
    pub cloud_service: Option<String>,
    /// The container's name in the ECS task definition.
    pub container_name: Option<String>,
    /// Options for falconctl, which may hold a provisioning token.
    pub falconctl_options: Option<Secret>,
}

impl FalconSettings {
    /// Returns the options that falconutil is given for a customer.
    #[must_use]
    pub fn for_customer(&self, customer_id: CustomerId) -> FalconOptions {
        FalconOptions {
            customer_id,
            cloud_service: self.cloud_service.clone(),
            container_name: self.container_name.clone(),
            falconctl_options: self.falconctl_options.clone(),
        }
    }
}

/// Options that falconutil is given beside the images.
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
