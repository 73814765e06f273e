//! The options of falconutil, and the names that it leaves in an image.

use super::customer_id::CustomerId;
use crate::report::secret::Secret;

/// The options of falconutil beside the images.
///
/// `C` is the customer ID with its checksum; in the configuration it may be absent, and then `CrowdStrike` is asked for it.
#[derive(Clone, Debug)]
pub struct FalconOptions<C = CustomerId> {
    /// The customer ID.
    pub customer_id: C,
    /// The cloud service, such as `ECS_FARGATE`; none leaves the choice to the sensor.
    pub cloud_service: Option<String>,
    /// The container's name in the ECS task definition.
    pub container_name: Option<String>,
    /// Options for falconctl, which may hold a provisioning token.
    pub falconctl_options: Option<Secret>,
}

impl FalconOptions<Option<CustomerId>> {
    /// The same options for a known customer.
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

/// The program that a patched image starts first; the source's entrypoint follows it.
pub const FALCON_ENTRYPOINT: &str = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

/// The environment variable that every patched image has.
pub const SENSOR_ROOT_VARIABLE: &str = "__CS_FALCON_SENSOR_ROOT";
