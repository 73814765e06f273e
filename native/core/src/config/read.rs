//! Reads the inputs one by one; a problem with one does not hide another's.

use super::check::Check;
use super::{Action, Config, Emulation, Sensor, Source, aws, falcon, image};
use crate::aws::AwsSettings;
use crate::error::Code;
use crate::inputs::Inputs;
use crate::reference::{EcrHost, ImageName};

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
    let sensor = falcon::sensor(check, inputs);
    let additional_tags = image::additional_tags(check, &inputs.additional_tags);
    let falcon_api = falcon::api(check, inputs);
    let falcon = falcon::settings(check, inputs);
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
    let full: Vec<EcrHost> = [Some(&target), source.in_registry(), sensor.named()]
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
        falcon,
        falcon_api,
        create_repository: create_repository?,
        emulation: emulation?,
        emulator_image: emulator_image?,
        keep_local_images: keep_local_images?,
    })
}

/// Every input of task.json whose capability comes later: set to something else than its default, it must not be ignored.
fn refuse_what_comes_later(check: &mut Check, inputs: &Inputs) {
    for (name, value, defaults) in [
        (
            "minimumSensorVersion",
            &inputs.minimum_sensor_version,
            &[][..],
        ),
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

impl Sensor {
    /// The image or repository that an input names.
    fn named(&self) -> Option<&ImageName> {
        match self {
            Self::Image(name) => Some(name),
            Self::CrowdStrike { mirror, .. } => mirror.as_ref(),
        }
    }
}

fn ecr_host(name: &ImageName) -> Option<EcrHost> {
    EcrHost::parse(name.registry.as_deref()?)
}
