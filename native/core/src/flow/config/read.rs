//! Reads the inputs one by one; a problem with one does not hide another's.

use super::check::Check;
use super::patch::{Action, Config, Emulation, Sensor, Source, Strategy};
use super::verify::VerifyConfig;
use super::{aws, builder, ecs, falcon, image, staging, verify};
use crate::domain::reference::image_name::ImageName;
use crate::flow::inputs::Inputs;
use crate::report::problem::Problem;

/// What the inputs ask for.
#[derive(Clone, Debug)]
pub enum Asked {
    /// To patch an image, or to say what patching would do.
    Patch(Box<Config>),
    /// To tell whether an image is patched.
    Verify(Box<VerifyConfig>),
}

impl Asked {
    /// Reads the inputs.
    ///
    /// # Errors
    /// One problem that tells everything that is wrong with them.
    pub fn from_inputs(inputs: &Inputs) -> Result<Self, Problem> {
        let mut check = Check::default();
        let asked = read(&mut check, inputs);
        match (asked, check.into_problem()) {
            (Some(asked), None) => Ok(asked),
            (_, Some(problem)) => Err(problem),
            (None, None) => unreachable!("a value that is missing has been noted as a problem"),
        }
    }
}

pub(super) fn read(check: &mut Check, inputs: &Inputs) -> Option<Asked> {
    // The filter comes with a later version, and must not be taken for granted before.
    check.not_available("engineAccess", &inputs.engine_access, &["direct"]);
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
        return verify::read(check, inputs).map(|config| Asked::Verify(Box::new(config)));
    }
    patch(check, inputs, action.flatten()).map(|config| Asked::Patch(Box::new(config)))
}

/// What a patch needs; an unknown action hides no other problem.
fn patch(check: &mut Check, inputs: &Inputs, action: Option<Action>) -> Option<Config> {
    falcon::refuse_without_effect(
        check,
        &[("minimumSensorVersion", &inputs.minimum_sensor_version, "")],
        "`action: patch` and `plan`; it is what `action: verify` demands",
    );
    let source = image::source(check, inputs);
    let target = image::target(check, inputs);
    let sensor = falcon::sensor(check, inputs);
    let additional_tags = image::additional_tags(check, &inputs.additional_tags);
    let falcon_api = falcon::api(check, inputs);
    let falcon = falcon::settings(check, inputs);
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
    let staging_image = staging::read(check, inputs);
    let builder = builder::name(check, &inputs.builder_name);
    let create_repository = check.boolean("createRepository", &inputs.create_repository, false);
    let keep_local_images = check.boolean("keepLocalImages", &inputs.keep_local_images, false);
    let task_definition = ecs::read(check, inputs);
    let skip_unchanged = check.boolean("skipUnchanged", &inputs.skip_unchanged, true);
    let (source, sensor, (target, target_tag)) = (source?, sensor?, target?);
    image::refuse_target_that_is_source(check, &source, &target);
    let mut named = vec![&target];
    named.extend(source.in_registry());
    let (aws, account) = aws.complete(&named, sensor.named());
    Some(Config {
        action: action?,
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
        staging_image,
        builder,
        keep_local_images: keep_local_images?,
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
