use std::collections::HashSet;
use std::sync::Arc;

use serde_json::{Value, json};

use super::{Reason, TargetState, standing};
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::domain::emulation::Registration;
use crate::domain::engine::{ApiVersion, EngineFacts, Store};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::platform::Platform;
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::Config;
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::probes::Probes;
use crate::flow::facts::sensor::SensorFacts;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::facts::target::{CurrentImage, TargetFacts};
use crate::flow::inputs::Inputs;
use crate::flow::plan::decide;
use crate::flow::plan::stages::Kept;
use crate::report::code::Code;
use crate::report::problem::Problem;

const HOST: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

const CUSTOMER: &str = "0123456789abcdef0123456789abcdef-12";

fn config(change: impl FnOnce(&mut Inputs)) -> Config {
    let mut inputs = Inputs {
        source_image: format!("{HOST}/app/web:1"),
        target_image: format!("{HOST}/app/web:1-falcon"),
        sensor_image: format!("{HOST}/sensor:7.39.0-7802"),
        falcon_cid: CUSTOMER.to_owned(),
        ..Inputs::default()
    };
    change(&mut inputs);
    Config::from_inputs(&inputs).expect("the inputs of a test are good")
}

fn nobody() -> Problem {
    Problem {
        code: Code::EngineNotReachable,
        what: "No engine".to_owned(),
        why: Vec::new(),
        hint: None,
    }
}

fn patched() -> Value {
    json!({
        "Entrypoint": [FALCON_ENTRYPOINT, "/entry.sh"],
        "Env": [
            "PATH=/bin",
            "__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs",
            "CS_CLOUD_SERVICE=ECS_FARGATE",
            format!("FALCONCTL_OPTS=--cid={CUSTOMER}"),
        ],
    })
}

/// A target that is up to date, and no engine: none is needed to see that.
fn facts(config: &Config) -> Facts {
    let source = json!({"Entrypoint": ["/entry.sh"], "Env": ["PATH=/bin"]});
    let image = RegistryImage::of(&["a"], &source);
    let sensor = Digest::of(b"arm64");
    let options = config.falcon.for_customer(CUSTOMER.parse().expect("an ID"));
    let provenance = Provenance {
        recipe: Recipe::new(Some(&image.digest), &sensor, &options),
        sensor_version: Some("7.39.0-7802".to_owned()),
        artifact: Digest::of(b"artifact"),
    };
    Facts {
        caller: None,
        engine: Err(nobody()),
        handler: Registration::Unknown,
        source: Ok(SourceFacts {
            name: format!("{HOST}/app/web:1"),
            place: SourcePlace::Registry {
                repository: Repository::new(HOST, "app/web"),
                image: Arc::new(image),
                from_index: false,
            },
            config: source,
            diff_ids: vec!["a".to_owned()],
            bytes: Some(1),
        }),
        sensor: Ok(SensorFacts {
            name: format!("{HOST}/sensor:7.39.0-7802"),
            repository: Repository::new(HOST, "sensor"),
            arm64: sensor,
            native: None,
            version: Some("7.39.0-7802".to_owned()),
            copy: None,
        }),
        customer_id: Ok(CUSTOMER.parse().expect("an ID")),
        target: Ok(TargetFacts {
            repository: Repository::new(HOST, "app/web"),
            existing: Vec::new(),
            current: Some(CurrentImage {
                image: Arc::new(RegistryImage::of(&["a", "sensor"], &patched())),
                provenance: vec![provenance],
            }),
            mutability: None,
            is_missing: false,
        }),
        builder: None,
        staged: None,
        task_definition: None,
        in_engine: HashSet::new(),
        probes: Probes::default(),
    }
}

fn current(facts: &mut Facts) -> &mut CurrentImage {
    let target = facts.target.as_mut().expect("a target");
    target.current.as_mut().expect("an image")
}

fn with(change: impl FnOnce(&mut Facts)) -> TargetState {
    let config = config(|_| {});
    let mut facts = facts(&config);
    change(&mut facts);
    standing(&config, &facts)
}

#[test]
fn an_image_made_of_the_same_is_up_to_date() {
    assert_eq!(with(|_| {}), TargetState::UpToDate);
    // Whatever else refers to the image does not matter.
    let among_others = with(|facts| {
        let other = Provenance {
            recipe: Recipe {
                sensor: Digest::of(b"older"),
                ..current(facts).provenance[0].recipe.clone()
            },
            ..current(facts).provenance[0].clone()
        };
        current(facts).provenance.insert(0, other);
    });
    assert_eq!(among_others, TargetState::UpToDate);
}

#[test]
fn whatever_has_changed_is_the_reason_to_patch() {
    let outdated =
        |change: fn(&mut Provenance)| with(|facts| change(&mut current(facts).provenance[0]));
    assert_eq!(
        outdated(|known| known.recipe.source = Some(Digest::of(b"older"))),
        TargetState::Outdated(Reason::Source)
    );
    assert_eq!(
        outdated(|known| known.recipe.sensor = Digest::of(b"older")),
        TargetState::Outdated(Reason::Sensor)
    );
    assert_eq!(
        outdated(|known| known.recipe.options = Digest::of(b"others")),
        TargetState::Outdated(Reason::Options)
    );
    let nearest = with(|facts| {
        let known = &mut current(facts).provenance;
        known[0].recipe.options = Digest::of(b"others");
        let mut other = known[0].clone();
        other.recipe.source = Some(Digest::of(b"older"));
        known.insert(0, other);
    });
    assert_eq!(nearest, TargetState::Outdated(Reason::Options));
    let asked = config(|inputs| inputs.skip_unchanged = "false".to_owned());
    assert_eq!(
        standing(&asked, &facts(&asked)),
        TargetState::Outdated(Reason::Asked)
    );
    let missing = with(|facts| facts.target.as_mut().expect("a target").current = None);
    assert_eq!(missing, TargetState::Outdated(Reason::Missing));
}

#[test]
fn an_image_of_the_engine_is_always_patched() {
    let standing = with(|facts| {
        current(facts).provenance[0].recipe.source = None;
        facts.source.as_mut().expect("a source").place = SourcePlace::Engine {
            id: "sha256:1".to_owned(),
        };
    });
    assert_eq!(standing, TargetState::Outdated(Reason::Source));
}

#[test]
fn provenance_is_not_believed_where_the_image_says_otherwise() {
    let cases: [(&str, RegistryImage); 4] = [
        (
            "layers",
            RegistryImage::of(&["other", "sensor"], &patched()),
        ),
        ("no sensor", RegistryImage::of(&["a"], &patched())),
        ("entrypoint", {
            let mut config = patched();
            config["Entrypoint"] = json!(["/entry.sh"]);
            RegistryImage::of(&["a", "sensor"], &config)
        }),
        ("options", {
            let mut config = patched();
            config["Env"][2] = json!("CS_CLOUD_SERVICE=ACI");
            RegistryImage::of(&["a", "sensor"], &config)
        }),
    ];
    for (what, image) in cases {
        let standing = with(|facts| current(facts).image = Arc::new(image));
        assert_eq!(
            standing,
            TargetState::Outdated(Reason::Disagreement),
            "{what}"
        );
    }
}

#[test]
fn an_unrecorded_image_is_adopted_only_where_its_tag_is_fixed() {
    let unrecorded = |mutability: Option<TagMutability>, image: RegistryImage| {
        with(|facts| {
            current(facts).provenance.clear();
            current(facts).image = Arc::new(image);
            facts.target.as_mut().expect("a target").mutability = mutability;
        })
    };
    let good = || RegistryImage::of(&["a", "sensor"], &patched());
    let patch = TargetState::Outdated(Reason::Unrecorded);
    assert_eq!(
        unrecorded(Some(TagMutability::Immutable), good()),
        TargetState::Adopted
    );
    assert_eq!(unrecorded(Some(TagMutability::Mutable), good()), patch);
    assert_eq!(unrecorded(None, good()), patch);
    let other = RegistryImage::of(&["b", "sensor"], &patched());
    assert_eq!(unrecorded(Some(TagMutability::Immutable), other), patch);
}

#[test]
fn without_the_facts_nothing_can_be_told() {
    assert_eq!(
        with(|facts| facts.source = Err(nobody())),
        TargetState::Unknown
    );
    assert_eq!(
        with(|facts| facts.target = Err(nobody())),
        TargetState::Unknown
    );
}

#[test]
fn beside_an_image_that_stays_only_missing_tags_are_put_and_no_engine_is_needed() {
    let config = config(|inputs| inputs.additional_tags = "stable\nlatest\nnew".to_owned());
    let mut facts = facts(&config);
    let target = facts.target.as_mut().expect("a target");
    let digest = target
        .current
        .as_ref()
        .expect("an image")
        .image
        .digest
        .clone();
    target.existing = vec![
        ("stable".parse().expect("a tag"), digest),
        ("latest".parse().expect("a tag"), Digest::of(b"another")),
    ];
    assert!(!decide::changes_nothing(&config, &facts));
    let plan = decide::plan(&config, &facts).expect("a plan");
    assert_eq!(plan.kept, Some(Kept::UpToDate));
    let steps: Vec<String> = plan
        .stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .map(ToString::to_string)
        .collect();
    assert_eq!(steps, ["Add the tag latest", "Add the tag new"]);
}

/// The same, with an ECS task definition whose container is `web`.
fn with_definition(config: &Config) -> Facts {
    let file = json!({
        "family": "web", "containerDefinitions": [{"name": "web"}], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/x",
    });
    let mut facts = facts(config);
    facts.task_definition = Some(TaskDefinition::read(&file.to_string(), Wanted::default()));
    facts
}

#[test]
fn the_container_of_the_ecs_task_definition_is_one_of_the_options() {
    let config = config(|_| {});
    let standing = standing(&config, &with_definition(&config));
    assert_eq!(standing, TargetState::Outdated(Reason::Options));
}

#[test]
fn an_image_that_is_kept_goes_into_the_ecs_task_definition_all_the_same() {
    let config = config(|i| {
        i.container_name = "web".to_owned();
        i.task_definition = "/s/ecs.json".to_owned();
        i.register_task_definition = "true".to_owned();
    });
    let mut facts = with_definition(&config);
    let mut object = patched();
    let variables = object["Env"].as_array_mut().expect("a list");
    variables.push(json!("CS_CONTAINER=web"));
    current(&mut facts).image = Arc::new(RegistryImage::of(&["a", "sensor"], &object));
    assert_eq!(standing(&config, &facts), TargetState::UpToDate);
    let plan = decide::plan(&config, &facts).expect("a plan");
    assert_eq!(plan.kept, Some(Kept::UpToDate));
    let steps: Vec<String> = plan
        .stages
        .iter()
        .flat_map(|stage| &stage.steps)
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        steps,
        [
            "Write the ECS task definition",
            "Register the ECS task definition"
        ]
    );
    // What is to be deployed changes nothing in the registry, so nothing more has to be known.
    assert!(decide::changes_nothing(&config, &facts));
}

#[test]
fn a_builder_for_later_steps_is_made_beside_an_image_that_is_kept() {
    let config = config(|i| i.builder_name = "arm64builder".into());
    let mut facts = facts(&config);
    facts.handler = Registration::Absent;
    facts.builder = Some(Ok(BuilderFacts {
        buildx: "v0.29.1".to_owned(),
        is_made: false,
    }));
    let without_engine = decide::plan(&config, &facts).expect_err("no engine");
    assert_eq!(without_engine.code, Code::EngineNotReachable);
    facts.engine = Ok(EngineFacts {
        version: "28.5.2".to_owned(),
        api_version: ApiVersion {
            major: 1,
            minor: 51,
        },
        store: Store::Overlay2,
        platform: Platform::linux("amd64"),
        is_local: true,
    });
    let plan = decide::plan(&config, &facts).expect("a plan");
    assert_eq!(plan.kept, Some(Kept::UpToDate));
    let steps: Vec<String> = plan.stages[0]
        .steps
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        steps,
        [
            "Install the ARM64 emulator of docker.io/tonistiigi/binfmt",
            "Make the buildx builder `arm64builder` for linux/arm64"
        ]
    );
}
