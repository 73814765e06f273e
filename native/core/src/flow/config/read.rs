//! Reads the inputs one by one; a problem with one does not hide another's.

use super::check::Check;
use super::deploy::DeployConfig;
use super::falcon_fields::FalconFields;
use super::patch::{Emulation, EngineAccess, GraftCache, PatchConfig, Sensor, Source, Strategy};
use super::verify::VerifyConfig;
use super::{aws, builder, deploy, ecs, falcon, image, signing, staging, verify};
use crate::domain::reference::image_name::ImageName;
use crate::flow::inputs::Inputs;
use crate::report::problem::Problem;

/// The work that the inputs describe.
#[derive(Clone, Debug)]
pub enum Config {
    /// An image is patched, or the patch is planned.
    Patch(Box<PatchConfig>),
    /// An image is checked for the sensor.
    Verify(Box<VerifyConfig>),
    /// An image is deployed to an ECS service, or its deployment is planned.
    Deploy(Box<DeployConfig>),
}

impl Config {
    /// Reads the inputs.
    ///
    /// # Errors
    /// One problem that lists everything that is wrong with them.
    pub fn from_inputs(inputs: &Inputs) -> Result<Self, Problem> {
        let mut check = Check::default();
        let config = read(&mut check, inputs);
        match (config, check.into_problem()) {
            (Some(config), None) => Ok(config),
            (_, Some(problem)) => Err(problem),
            (None, None) => unreachable!("a value that is missing has been noted as a problem"),
        }
    }
}

/// The values of the input `action`.
#[derive(Clone, Copy)]
enum Action {
    Patch,
    Plan,
    Verify,
    Deploy,
}

fn read(check: &mut Check, inputs: &Inputs) -> Option<Config> {
    let action = check.choice(
        "action",
        &inputs.action,
        &[
            ("patch", Action::Patch),
            ("plan", Action::Plan),
            ("verify", Action::Verify),
            ("deploy", Action::Deploy),
        ],
    );
    let only_plan = match action {
        Some(Action::Verify) => {
            return verify::read(check, inputs).map(|config| Config::Verify(Box::new(config)));
        }
        Some(Action::Deploy) => return deployment(check, inputs, false),
        Some(Action::Plan) if !inputs.ecs_service.trim().is_empty() => {
            return deployment(check, inputs, true);
        }
        Some(Action::Plan) => Some(true),
        Some(Action::Patch) => Some(false),
        // An unknown action hides no other problem.
        None => None,
    };
    patch(check, inputs, only_plan).map(|config| Config::Patch(Box::new(config)))
}

fn deployment(check: &mut Check, inputs: &Inputs, only_plan: bool) -> Option<Config> {
    deploy::read(check, inputs, only_plan).map(|config| Config::Deploy(Box::new(config)))
}

fn patch(check: &mut Check, inputs: &Inputs, only_plan: Option<bool>) -> Option<PatchConfig> {
    check.without_effect(
        &[("minimumSensorVersion", &inputs.minimum_sensor_version, "")],
        "`action: patch` and `plan`; it is what `action: verify` and `deploy` demand",
    );
    deploy::refuse_without_service(
        check,
        inputs,
        "a patch; set `action: deploy`, or `action: plan` with `ecsService`",
    );
    let source = image::source(check, inputs);
    let target = image::target(check, inputs);
    let sensor = falcon::sensor(check, inputs);
    let additional_tags = image::additional_tags(check, &inputs.additional_tags);
    let fields = FalconFields::of(check, inputs);
    let falcon_api = falcon::api(check, inputs, &fields);
    let falcon = falcon::settings(check, inputs, &fields);
    let aws = aws::read::read(check, inputs);
    let emulation = check.choice(
        "emulation",
        &inputs.emulation,
        &[("auto", Emulation::Auto), ("never", Emulation::Never)],
    );
    let emulator_image = image::emulator_image(check, &inputs.emulator_image);
    let strategy = check.choice(
        "strategy",
        &inputs.strategy,
        &[("full", Strategy::Full), ("graft", Strategy::Graft)],
    );
    let graft_cache = check.choice(
        "graftCache",
        &inputs.graft_cache,
        &[
            ("registry", GraftCache::Registry),
            ("none", GraftCache::None),
        ],
    );
    let engine_access = check.choice(
        "engineAccess",
        &inputs.engine_access,
        &[
            ("auto", EngineAccess::Auto),
            ("filtered", EngineAccess::Filtered),
            ("direct", EngineAccess::Direct),
        ],
    );
    let staging_image = staging::read(check, inputs);
    let builder = builder::name(check, &inputs.builder_name);
    let create_repository = check.boolean("createRepository", &inputs.create_repository, false);
    let keep_local_images = check.boolean("keepLocalImages", &inputs.keep_local_images, false);
    let signing = signing::read(check, inputs);
    let task_definition = ecs::read(check, inputs);
    let skip_unchanged = check.boolean("skipUnchanged", &inputs.skip_unchanged, true);
    let (source, sensor, (target, target_tag)) = (source?, sensor?, target?);
    image::refuse_target_that_is_source(check, &source, &target);
    let mut named = vec![&target];
    named.extend(source.in_registry());
    let (aws, account) = aws.complete(&named, sensor.named());
    Some(PatchConfig {
        only_plan: only_plan?,
        account,
        aws,
        source,
        sensor,
        target,
        target_tag,
        additional_tags: additional_tags?,
        falcon,
        falcon_api,
        skip_unchanged: skip_unchanged?,
        create_repository: create_repository?,
        emulation: emulation?,
        emulator_image: emulator_image?,
        strategy: strategy?,
        graft_cache: graft_cache?,
        staging_image,
        builder,
        engine_access: engine_access?,
        keep_local_images: keep_local_images?,
        signing,
        task_definition,
    })
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
