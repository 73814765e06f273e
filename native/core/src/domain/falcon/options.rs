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

impl<C> FalconOptions<C> {
    /// Returns the options in a phrase for the log. Of those for falconctl it has the names, for a value may be secret.
    #[must_use]
    pub fn describe(&self) -> String {
        let or = |value: &Option<String>, none: &str| value.clone().unwrap_or(none.to_owned());
        format!(
            "cloud service {}, container {}, falconctl options {}",
            or(&self.cloud_service, "left to the sensor"),
            or(&self.container_name, "not named"),
            self.falconctl_options
                .as_ref()
                .map_or_else(|| "none".to_owned(), |options| names(options.reveal()))
        )
    }
}

/// The names of options such as `--tags=a,b`; a word that is not one may be a value.
fn names(options: &str) -> String {
    let words = options.split_whitespace();
    let names = words.filter_map(|word| {
        let name = word.split('=').next().unwrap_or_default();
        let plain = name.strip_prefix("--")?;
        let is_name = plain.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
        (is_name && !plain.is_empty()).then_some(name)
    });
    names.collect::<Vec<_>>().join(" ")
}

/// The folder that the sensor has for itself.
pub const SENSOR_FOLDER: &str = "/opt/CrowdStrike";

/// The program that a patched image starts first; the source's entrypoint follows it.
pub const FALCON_ENTRYPOINT: &str = "/opt/CrowdStrike/rootfs/bin/falcon-entrypoint";

/// The value of [`SENSOR_ROOT_VARIABLE`].
pub const SENSOR_ROOT: &str = "/opt/CrowdStrike/rootfs";

/// The environment variable that every patched image has.
pub const SENSOR_ROOT_VARIABLE: &str = "__CS_FALCON_SENSOR_ROOT";

#[cfg(test)]
mod tests {
    use super::FalconOptions;
    use crate::report::secret::Secret;

    fn described(
        cloud_service: Option<&str>,
        container_name: Option<&str>,
        falconctl_options: Option<&str>,
    ) -> String {
        let options = FalconOptions {
            customer_id: (),
            cloud_service: cloud_service.map(str::to_owned),
            container_name: container_name.map(str::to_owned),
            falconctl_options: falconctl_options.map(Secret::new),
        };
        options.describe()
    }

    #[test]
    fn the_log_names_the_options_and_no_secret_value() {
        assert_eq!(
            described(Some("ECS_FARGATE"), Some("web"), None),
            "cloud service ECS_FARGATE, container web, falconctl options none"
        );
        assert_eq!(
            described(
                None,
                None,
                Some("--tags=a,b --provisioning-token SECRET --backend=kernel --Se=x")
            ),
            "cloud service left to the sensor, container not named, falconctl options --tags --provisioning-token --backend"
        );
    }
}
