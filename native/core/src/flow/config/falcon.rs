//! The inputs that concern CrowdStrike: the sensor, the API and the options for falconutil.

use url::Url;

use super::check::Check;
use super::falcon_fields::{FalconFields, Field};
use super::image;
use super::input_fault::InputFault;
use super::patch::Sensor;
use crate::domain::address::{is_loopback, is_private};
use crate::domain::ecs::field::is_name;
use crate::domain::falcon::api_settings::FalconApiSettings;
use crate::domain::falcon::customer_id::{CustomerId, CustomerIdError};
use crate::domain::falcon::options::FalconOptions;
use crate::domain::falcon::region::Region;
use crate::domain::falcon::release::VersionChoice;
use crate::domain::reference::image_name::ImageName;
use crate::flow::inputs::Inputs;
use crate::report::secret::Secret;

/// The place of the sensor; inputs that only the other place uses are refused.
pub(super) fn sensor(check: &mut Check, inputs: &Inputs) -> Option<Sensor> {
    let choices = [("image", false), ("crowdstrike", true)];
    let from_crowdstrike = check.choice("sensorSource", &inputs.sensor_source, &choices)?;
    if from_crowdstrike {
        check.without_effect(
            &[("sensorImage", &inputs.sensor_image, "")],
            "`sensorSource: crowdstrike`, which finds the image by `sensorVersion`",
        );
        let version = version(check, &inputs.sensor_version);
        let mirror = mirror(check, &inputs.sensor_mirror);
        return Some(Sensor::CrowdStrike {
            version: version?,
            mirror,
        });
    }
    check.without_effect(
        &[
            ("sensorVersion", &inputs.sensor_version, "latest"),
            ("sensorMirror", &inputs.sensor_mirror, ""),
            ("falconRegistry", &inputs.falcon_registry, ""),
        ],
        "`sensorSource: image`; set `sensorSource: crowdstrike` to take the sensor from there",
    );
    image::registry_image(check, "sensorImage", &inputs.sensor_image).map(Sensor::Image)
}

fn version(check: &mut Check, value: &str) -> Option<VersionChoice> {
    let value = if value.trim().is_empty() {
        "latest"
    } else {
        check.text("sensorVersion", value)?
    };
    let choice = VersionChoice::parse(value);
    if choice.is_none() {
        check.refuse(
            InputFault::UnknownValue,
            "sensorVersion",
            format!("`{value}` is neither `latest`, `n-1` or `n-2` nor the start of a version, as `7.39`, nor a tag, as `7.39.0-7802`"),
        );
    }
    choice
}

/// The repository in ECR that the sensor is copied to.
fn mirror(check: &mut Check, value: &str) -> Option<ImageName> {
    if value.trim().is_empty() {
        return None;
    }
    let name = image::ecr_image(check, "sensorMirror", value)?;
    if name.tag.is_some() || name.digest.is_some() {
        check.refuse(
            InputFault::Malformed,
            "sensorMirror",
            format!(
                "`{name}` names an image; name the repository alone, the tag is the sensor's own"
            ),
        );
        return None;
    }
    Some(name)
}

/// The access to the API; none where nothing is requested from it.
pub(super) fn api(
    check: &mut Check,
    inputs: &Inputs,
    fields: &FalconFields,
) -> Option<FalconApiSettings> {
    let region = region(check, fields.region);
    let api_url = api_url(check, fields.api_url);
    let registry = registry(check, fields.registry);
    if !needs_client(inputs) && !fields.has_client() {
        fields.refuse_settings_without_client(check);
        return None;
    }
    let (client_id, client_secret) = fields.client(check)?;
    Some(FalconApiSettings {
        client_id,
        client_secret,
        region,
        api_url,
        registry,
    })
}

/// Returns true if the sensor is found by the API.
pub(super) fn needs_client(inputs: &Inputs) -> bool {
    inputs.sensor_source.trim() == "crowdstrike"
}

fn region(check: &mut Check, (name, value): Field<'_>) -> Option<Region> {
    let own = Region::ALL.map(|region| (region.name(), Some(region)));
    let choices: Vec<(&str, Option<Region>)> = [("auto", None)].into_iter().chain(own).collect();
    check.choice(name, value, &choices).flatten()
}

fn api_url(check: &mut Check, (name, value): Field<'_>) -> Option<Url> {
    let value = check.text(name, value)?;
    match Url::parse(value) {
        Ok(url) if is_private(&url) && url.username().is_empty() && url.password().is_none() => {
            Some(url)
        }
        _ => {
            check.refuse(
                InputFault::Malformed,
                name,
                "must be an HTTPS address, as in `https://falcon-api.example.com`; plain HTTP is for this machine only",
            );
            None
        }
    }
}

/// The registry's host, without the scheme if that is the one that is used anyway.
fn registry(check: &mut Check, (name, value): Field<'_>) -> Option<String> {
    let value = check.text(name, value)?;
    let value = value.trim_end_matches('/');
    let (is_plain, host) = match value.split_once("://") {
        Some(("https", host)) => (false, host),
        Some(("http", host)) => (true, host),
        _ => (is_loopback(value), value),
    };
    let image = format!("{host}/sensor").parse::<ImageName>();
    let host = image
        .ok()
        .and_then(|name| name.registry.filter(|known| known == host));
    match host {
        Some(host) if is_plain == is_loopback(&host) => Some(host),
        _ => {
            check.refuse(
                InputFault::Malformed,
                name,
                "must be a registry's host, as in `falcon-registry.example.com`; plain HTTP is for this machine only",
            );
            None
        }
    }
}

/// The customer ID; it may be left out where the API can look it up.
fn customer_id(check: &mut Check, inputs: &Inputs, fields: &FalconFields) -> Option<CustomerId> {
    let (name, value) = fields.customer_id;
    if value.trim().is_empty() {
        fields.demand_customer_id(check, needs_client(inputs));
        return None;
    }
    match check.secret(name, value)?.parse() {
        Ok(id) => return Some(id),
        Err(CustomerIdError::WithoutChecksum) => check.refuse(
            InputFault::CidWithoutChecksum,
            name,
            "lacks its checksum: falconutil needs 32 hex digits, `-` and 2 hex digits",
        ),
        Err(CustomerIdError::Malformed) => check.refuse(
            InputFault::Malformed,
            name,
            "is not a customer ID: it must be 32 hex digits, `-` and 2 hex digits",
        ),
    }
    None
}

/// The options for falconutil.
pub(super) fn settings(
    check: &mut Check,
    inputs: &Inputs,
    fields: &FalconFields,
) -> FalconOptions<Option<CustomerId>> {
    let customer_id = customer_id(check, inputs, fields);
    let cloud_service = match check.text("cloudService", &inputs.cloud_service) {
        Some("none") => None,
        Some(service) => Some(service.to_owned()),
        None => Some("ECS_FARGATE".to_owned()),
    };
    if cloud_service.as_ref().is_some_and(|s| {
        !s.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    }) {
        let meant = inputs.cloud_service_meant();
        let question = meant.map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
        check.refuse(InputFault::UnknownValue, "cloudService", format!("must be `ECS_FARGATE`, `none`, or another service that falconutil knows, in upper case{question}"));
    }
    let container_name = check
        .text("containerName", &inputs.container_name)
        .map(str::to_owned);
    if container_name.as_ref().is_some_and(|name| !is_name(name)) {
        check.refuse(
            InputFault::Malformed,
            "containerName",
            "must be up to 255 letters, digits, `-` and `_`, as ECS demands",
        );
    }
    let falconctl_options = check.secret("falconctlOptions", &inputs.falconctl_options);
    if falconctl_options.is_some_and(|options| !options.starts_with("--")) {
        check.refuse(
            InputFault::Malformed,
            "falconctlOptions",
            "must start with `--`, as in `--tags=a,b`",
        );
    }
    FalconOptions {
        customer_id,
        cloud_service,
        container_name,
        falconctl_options: falconctl_options.map(Secret::new),
    }
}

#[cfg(test)]
mod tests;
