//! Reads the inputs one by one; a problem with one does not hide another's.

use super::check::Check;
use super::{Action, Config, Emulation, Source, aws, image};
use crate::aws::AwsSettings;
use crate::error::Code;
use crate::falcon::{CustomerIdError, FalconOptions};
use crate::inputs::Inputs;
use crate::reference::{EcrHost, ImageName};
use crate::secret::Secret;

pub(super) fn read(check: &mut Check, inputs: &Inputs) -> Option<Config> {
    refuse_what_comes_later(check, inputs);
    let action = check.choice(
        "action",
        &inputs.action,
        &[
            ("patch", Some(Action::Patch)),
            ("plan", Some(Action::Plan)),
            ("verify", None),
        ],
    );
    if action == Some(None) {
        check.refuse(
            Code::InputNotAvailable,
            "action",
            "`verify` is not available in this version; use `patch` or `plan`",
        );
    }
    let source = image::source(check, inputs);
    let target = image::target(check, inputs);
    let sensor = image::registry_image(check, "sensorImage", &inputs.sensor_image);
    let additional_tags = image::additional_tags(check, &inputs.additional_tags);
    let falcon = falcon(check, inputs);
    let (credentials, roles) = aws::sign_in(check, inputs);
    let region = aws::region(check, inputs);
    let region_variable = aws::region_variable(check, inputs);
    let account = aws::account(check, inputs);
    let emulation = check.choice(
        "emulation",
        &inputs.emulation,
        &[("auto", Emulation::Auto), ("never", Emulation::Never)],
    );
    let emulator_image = image::emulator_image(check, &inputs.emulator_image);
    let create_repository = check.boolean("createRepository", &inputs.create_repository, false);
    let keep_local_images = check.boolean("keepLocalImages", &inputs.keep_local_images, false);
    check.boolean("skipUnchanged", &inputs.skip_unchanged, true);
    let (source, sensor, (target, target_tag)) = (source?, sensor?, target?);
    image::refuse_target_that_is_source(check, &source, &target);
    let full: Vec<EcrHost> = [Some(&target), source.in_registry(), Some(&sensor)]
        .into_iter()
        .flatten()
        .filter_map(ecr_host)
        .collect();
    Some(Config {
        action: action??,
        account: account.or_else(|| {
            [Some(&target), source.in_registry()]
                .into_iter()
                .flatten()
                .find_map(ecr_host)
                .map(|host| host.account)
        }),
        aws: AwsSettings {
            credentials,
            roles,
            region: region
                .or_else(|| full.first().map(|host| host.region.clone()))
                .or(region_variable),
        },
        source,
        sensor,
        target,
        target_tag,
        additional_tags: additional_tags?,
        falcon: falcon?,
        create_repository: create_repository?,
        emulation: emulation?,
        emulator_image: emulator_image?,
        keep_local_images: keep_local_images?,
    })
}

/// Every input of task.json whose capability comes later: set to something else than its default, it must not be ignored.
fn refuse_what_comes_later(check: &mut Check, inputs: &Inputs) {
    for (name, value, defaults) in [
        ("sensorSource", &inputs.sensor_source, &["image"][..]),
        ("sensorVersion", &inputs.sensor_version, &["", "latest"]),
        ("sensorMirror", &inputs.sensor_mirror, &[]),
        ("minimumSensorVersion", &inputs.minimum_sensor_version, &[]),
        ("falconClientId", &inputs.falcon_client_id, &[]),
        ("falconClientSecret", &inputs.falcon_client_secret, &[]),
        ("falconRegion", &inputs.falcon_region, &["auto"]),
        ("falconApiUrl", &inputs.falcon_api_url, &[]),
        ("falconRegistry", &inputs.falcon_registry, &[]),
        ("builderName", &inputs.builder_name, &[]),
        ("strategy", &inputs.strategy, &["full"]),
        ("stagingRegistry", &inputs.staging_registry, &["none"]),
        ("stagingRegistryImage", &inputs.staging_registry_image, &[]),
        ("engineAccess", &inputs.engine_access, &["direct"]),
        ("taskDefinition", &inputs.task_definition, &[]),
        ("taskDefinitionOutput", &inputs.task_definition_output, &[]),
        (
            "registerTaskDefinition",
            &inputs.register_task_definition,
            &["false"],
        ),
    ] {
        check.not_available(name, value, defaults);
    }
}

impl Source {
    fn in_registry(&self) -> Option<&ImageName> {
        match self {
            Self::Registry(name) => Some(name),
            Self::Engine(_) => None,
        }
    }
}

fn ecr_host(name: &ImageName) -> Option<EcrHost> {
    EcrHost::parse(name.registry.as_deref()?)
}

fn falcon(check: &mut Check, inputs: &Inputs) -> Option<FalconOptions> {
    let customer_id = match check
        .required("falconCid", &inputs.falcon_cid)
        .map(str::parse)
    {
        None => None,
        Some(Ok(id)) => Some(id),
        Some(Err(CustomerIdError::WithoutChecksum)) => {
            check.refuse(
                Code::InputCidWithoutChecksum,
                "falconCid",
                "lacks its checksum: falconutil needs 32 hex digits, `-` and 2 hex digits",
            );
            None
        }
        Some(Err(CustomerIdError::Malformed)) => {
            check.refuse(
                Code::InputMalformed,
                "falconCid",
                "is no customer ID: it has to be 32 hex digits, `-` and 2 hex digits",
            );
            None
        }
    };
    let cloud_service = match check.text("cloudService", &inputs.cloud_service) {
        Some("none") => None,
        Some(service) => Some(service.to_owned()),
        None => Some("ECS_FARGATE".to_owned()),
    };
    if cloud_service.as_ref().is_some_and(|s| {
        !s.bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    }) {
        check.refuse(Code::InputUnknownValue, "cloudService", "has to be `ECS_FARGATE`, `none`, or another service that falconutil knows, in upper case");
    }
    let container_name = check
        .text("containerName", &inputs.container_name)
        .map(str::to_owned);
    let is_name = |name: &String| {
        name.len() <= 255
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
    };
    if container_name.as_ref().is_some_and(|name| !is_name(name)) {
        check.refuse(
            Code::InputMalformed,
            "containerName",
            "has to be up to 255 letters, digits, `-` and `_`, as ECS demands",
        );
    }
    let falconctl_options = check.text("falconctlOptions", &inputs.falconctl_options);
    if falconctl_options.is_some_and(|options| !options.starts_with("--")) {
        check.refuse(
            Code::InputMalformed,
            "falconctlOptions",
            "has to start with `--`, as in `--tags=a,b`",
        );
    }
    Some(FalconOptions {
        customer_id: customer_id?,
        cloud_service,
        container_name,
        falconctl_options: falconctl_options.map(Secret::new),
    })
}
