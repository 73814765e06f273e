use serde_json::json;

use super::decide::plan;
use super::stages::Plan;
use super::step::Step;
use super::target_state::TargetState;
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::domain::emulation::Registration;
use crate::domain::engine::Store;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::probes::Probes;
use crate::flow::facts::sensor::SensorCopy;
use crate::flow::facts::source::SourcePlace;
use crate::flow::facts::staged::Staged;
use crate::flow::facts::target::TargetFacts;
use crate::flow::inputs::Inputs;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::{HOST, config};
use crate::test_support::facts::facts;

fn decided(config: &PatchConfig, facts: &Facts) -> Result<Plan, Problem> {
    let state = TargetState::of(config, facts);
    plan(config, facts, state)
}

fn repository(name: &str) -> Repository {
    Repository::new(HOST, name)
}

/// The plan as text, a line a stage.
fn drawn(config: &PatchConfig, facts: &Facts) -> String {
    let plan = decided(config, facts).expect("there is a plan");
    let lines = plan.stages.iter().map(|stage| {
        let steps: Vec<String> = stage.steps.iter().map(ToString::to_string).collect();
        let condition = stage
            .only_if
            .map_or_else(String::new, |only_if| format!("if {only_if}: "));
        let probe = if stage.probes { "? " } else { "" };
        format!("{probe}{condition}{}", steps.join(" | "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

fn refusal(config: &PatchConfig, facts: &Facts) -> Problem {
    decided(config, facts).expect_err("there is no plan")
}

#[test]
fn a_multi_architecture_sensor_is_pulled_twice_and_asked_for_its_flags() {
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts()), @r"
    ? Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Pull the sensor image (the agent's platform) sensor@5861314d7fcc | Check that ARM64 programs run | Ask the native falconutil for its flags
    if the native falconutil knows `--platform`: Patch with the native falconutil
    if it does not: Patch with the ARM64 falconutil under emulation
    Compare the patched image with the source
    Push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon
    Read the pushed image back
    Record what the image was made of
    ");
}

#[test]
fn a_sensor_is_copied_before_it_is_pulled_and_once() {
    let mut facts = facts();
    let copy = SensorCopy {
        from: Repository::new("registry.crowdstrike.com", "falcon-container"),
        digest: Digest::of(b"index"),
        to: repository("sensor"),
        tag: "7.39.0-7802".parse().expect("a tag"),
    };
    if let Ok(sensor) = &mut facts.sensor {
        sensor.copy = Some(copy);
    }
    let text = drawn(&config(|_| {}), &facts);
    let stages: Vec<&str> = text.lines().take(2).collect();
    insta::assert_snapshot!(stages.join("\n"), @r"
    ? Copy the sensor registry.crowdstrike.com/falcon-container@1bc04b5291c2 to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/sensor:7.39.0-7802 | Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Pull the sensor image (the agent's platform) sensor@5861314d7fcc | Check that ARM64 programs run | Ask the native falconutil for its flags
    if the native falconutil knows `--platform`: Patch with the native falconutil
    ");
}

#[test]
fn a_probed_falconutil_with_the_flag_patches_natively() {
    let mut facts = facts();
    facts.in_engine = [b"source".as_slice(), b"arm64", b"amd64"]
        .into_iter()
        .map(Digest::of)
        .collect();
    facts.probes = Probes {
        arm64_runs: Some(true),
        native_knows_platform: Some(true),
        ..Probes::default()
    };
    insta::assert_snapshot!(drawn(&config(|i| i.additional_tags = "latest\n1-falcon\nstable".into()), &facts), @r"
    Patch with the native falconutil
    Compare the patched image with the source
    Push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon
    Read the pushed image back
    Record what the image was made of | Add the tag latest | Add the tag stable
    ");
}

#[test]
fn a_native_falconutil_without_the_flag_makes_way_for_the_arm64_one() {
    let mut facts = facts();
    facts.in_engine = [b"source".as_slice(), b"arm64", b"amd64"]
        .into_iter()
        .map(Digest::of)
        .collect();
    facts.probes = Probes {
        arm64_runs: Some(true),
        native_knows_platform: Some(false),
        ..Probes::default()
    };
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts), @r"
    ? Ask the ARM64 falconutil under emulation for its flags
    Patch with the ARM64 falconutil under emulation
    Compare the patched image with the source
    Push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon
    Read the pushed image back
    Record what the image was made of
    ");
    facts.probes.arm64_knows_platform = Some(false);
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts), @r"
    Patch with the ARM64 falconutil under emulation
    Compare the patched image with the source
    Push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon
    Read the pushed image back
    Record what the image was made of
    ");
}

#[test]
fn an_arm64_only_sensor_without_emulator_gets_one_installed_before_it_is_asked() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    if let Ok(sensor) = &mut facts.sensor {
        sensor.native = None;
    }
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts), @r"
    ? Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Install the ARM64 emulator of docker.io/tonistiigi/binfmt | Check that ARM64 programs run
    Patch with the ARM64 falconutil under emulation
    Compare the patched image with the source
    Push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon
    Read the pushed image back
    Record what the image was made of
    ");
}

#[test]
fn an_arm64_engine_needs_neither_emulator_nor_probe() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    if let Ok(engine) = &mut facts.engine {
        engine.platform = Platform::linux_arm64();
    }
    if let Ok(sensor) = &mut facts.sensor {
        sensor.native = None;
    }
    insta::assert_snapshot!(drawn(&config(|i| i.emulation = "never".into()), &facts), @r"
    Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23
    Patch with the native falconutil
    Compare the patched image with the source
    Push 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon
    Read the pushed image back
    Record what the image was made of
    ");
}

#[test]
fn a_source_in_the_engine_is_not_pulled() {
    let mut facts = facts();
    if let Ok(source) = &mut facts.source {
        source.place = SourcePlace::Engine {
            id: "sha256:1".to_owned(),
        };
    }
    let drawn = drawn(
        &config(|i| {
            i.source_location = "engine".into();
            i.source_image = "web:dev".into();
        }),
        &facts,
    );
    assert!(!drawn.contains("Pull the source image"), "{drawn}");
}

#[test]
fn an_engine_under_another_kernel_is_tried_before_an_emulator_is_installed() {
    let mut facts = facts();
    facts.handler = Registration::Unknown;
    assert!(!drawn(&config(|_| {}), &facts).contains("Install"));
    facts.probes.arm64_runs = Some(false);
    assert!(drawn(&config(|_| {}), &facts).contains("Install"));
    assert_eq!(
        refusal(&config(|i| i.emulation = "never".into()), &facts).code,
        Code::EmulationMissing
    );
}

#[test]
fn an_emulator_is_installed_only_where_that_is_allowed_and_only_once() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    assert_eq!(
        refusal(&config(|i| i.emulation = "never".into()), &facts).code,
        Code::EmulationMissing
    );
    facts.probes.emulator_installed = true;
    assert_eq!(
        refusal(&config(|_| {}), &facts).code,
        Code::EmulationNoEffect
    );
}

#[test]
fn a_registered_emulator_that_runs_nothing_is_refused() {
    let mut facts = facts();
    facts.probes.arm64_runs = Some(false);
    assert_eq!(
        refusal(&config(|_| {}), &facts).code,
        Code::EmulationNoEffect
    );
}

#[test]
fn a_patched_source_is_refused_by_entrypoint_and_by_variable() {
    for config_object in [
        json!({"Entrypoint": [crate::domain::falcon::options::FALCON_ENTRYPOINT]}),
        json!({"Env": ["__CS_FALCON_SENSOR_ROOT=/opt"]}),
    ] {
        let mut facts = facts();
        if let Ok(source) = &mut facts.source {
            source.config = config_object;
        }
        assert_eq!(
            refusal(&config(|_| {}), &facts).code,
            Code::FalconAlreadyPatched
        );
    }
}

#[test]
fn an_immutable_tag_is_refused_only_where_it_exists() {
    let mut facts = facts();
    let tag: Tag = "1-falcon".parse().unwrap();
    if let Ok(target) = &mut facts.target {
        target.mutability = Some(TagMutability::Immutable);
    }
    assert!(decided(&config(|_| {}), &facts).is_ok());
    if let Ok(target) = &mut facts.target {
        target.existing = vec![(tag, Digest::of(b"old"))];
    }
    let problem = refusal(&config(|_| {}), &facts);
    assert_eq!(problem.code, Code::EcrTagImmutable);
    insta::assert_snapshot!(problem.what, @"The tag `1-falcon` exists in `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web` and cannot be overwritten");
}

#[test]
fn an_additional_tag_that_is_the_sources_is_refused() {
    let problem = refusal(&config(|i| i.additional_tags = "1".into()), &facts());
    assert_eq!(problem.code, Code::InputTargetIsSource);
    assert!(
        problem.what.contains("`additionalTags`"),
        "{}",
        problem.what
    );
}

#[test]
fn the_containerd_store_of_an_old_engine_is_refused() {
    for (version, store, refused) in [
        ("26.1.5+dfsg1", Store::Containerd, true),
        ("27.4.1", Store::Containerd, true),
        ("27.5.0", Store::Containerd, false),
        ("28.5.2+dfsg4", Store::Containerd, false),
        ("26.1.5", Store::Overlay2, false),
        ("dev", Store::Containerd, false),
    ] {
        let mut facts = facts();
        if let Ok(engine) = &mut facts.engine {
            (engine.version, engine.store) = (version.to_owned(), store);
        }
        let code = decided(&config(|_| {}), &facts)
            .err()
            .map(|problem| problem.code);
        assert_eq!(code, refused.then_some(Code::EngineTooOld), "{version}");
    }
}

#[test]
fn wrong_credentials_come_before_all_that_follows_from_them() {
    let mut facts = facts();
    let problem = |code| Problem {
        code,
        what: String::new(),
        why: vec![],
        hint: None,
    };
    facts.engine = Err(problem(Code::EngineNotReachable));
    facts.caller = Some(Err(problem(Code::AwsCredentialsInvalid)));
    assert_eq!(
        refusal(&config(|_| {}), &facts).code,
        Code::AwsCredentialsInvalid
    );
    facts.caller = Some(Err(problem(Code::AwsNotReachable)));
    assert_eq!(
        refusal(&config(|_| {}), &facts).code,
        Code::EngineNotReachable
    );
}

#[test]
fn a_missing_repository_is_created_once_there_is_something_to_push() {
    let mut facts = facts();
    facts.target = facts.target.map(|target| TargetFacts {
        is_missing: true,
        mutability: None,
        ..target
    });
    let drawn = drawn(&config(|_| {}), &facts);
    let lines: Vec<&str> = drawn.lines().collect();
    let create = format!("Create the repository {HOST}/app/web");
    let nth = lines.iter().position(|line| *line == create);
    let nth = nth.expect("a step that creates it");
    assert_eq!(lines[nth - 1], "Compare the patched image with the source");
    assert!(lines[nth + 1].starts_with("Push "), "{drawn}");
}

fn with_builder(is_made: bool) -> (PatchConfig, Facts) {
    let facts = Facts {
        builder: Some(Ok(BuilderFacts {
            buildx: "v0.29.1".to_owned(),
            is_made,
        })),
        ..facts()
    };
    (config(|i| i.builder_name = "arm64builder".into()), facts)
}

#[test]
fn a_builder_for_later_steps_is_made_beside_the_pulls_and_once() {
    let (config, facts) = with_builder(false);
    let text = drawn(&config, &facts);
    insta::assert_snapshot!(text.lines().next().unwrap_or_default(), @"? Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Pull the sensor image (the agent's platform) sensor@5861314d7fcc | Create the buildx builder `arm64builder` for linux/arm64 | Check that ARM64 programs run | Ask the native falconutil for its flags");
    let (config, facts) = with_builder(true);
    assert!(!drawn(&config, &facts).contains("buildx"));
}

#[test]
fn a_builder_that_cannot_be_made_is_found_before_anything_is_done() {
    let (config, mut facts) = with_builder(false);
    let missing = Problem {
        code: Code::EngineBuildxMissing,
        what: "no buildx".to_owned(),
        why: vec![],
        hint: None,
    };
    facts.builder = Some(Err(missing.clone()));
    assert_eq!(refusal(&config, &facts), missing);
}

fn definition(file: &str) -> Result<TaskDefinition, Problem> {
    TaskDefinition::read(file, Wanted::default())
}

#[test]
fn an_ecs_task_definition_is_written_and_registered_last() {
    let mut facts = facts();
    let file = json!({
        "family": "web", "containerDefinitions": [{"name": "web"}], "cpu": "256", "memory": "512",
        "executionRoleArn": "arn:aws:iam::123456789012:role/x",
    });
    facts.task_definition = Some(definition(&file.to_string()));
    let last = |inputs: fn(&mut Inputs)| {
        let drawn = drawn(&config(inputs), &facts);
        drawn.lines().rev().take(3).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(last(|i| i.task_definition = "ecs.json".into()), @r"
    Write the ECS task definition
    Record what the image was made of
    Read the pushed image back
    ");
    insta::assert_snapshot!(last(|i| {
        i.task_definition = "ecs.json".into();
        i.register_task_definition = "true".into();
    }), @r"
    Register the ECS task definition
    Write the ECS task definition
    Record what the image was made of
    ");
}

#[test]
fn a_task_definition_that_has_to_be_corrected_comes_before_everything_else() {
    let mut facts = facts();
    facts.task_definition = Some(definition("{}"));
    facts.caller = Some(Err(Problem {
        code: Code::AwsCredentialsInvalid,
        what: String::new(),
        why: vec![],
        hint: None,
    }));
    let config = config(|i| i.task_definition = "ecs.json".into());
    assert_eq!(
        refusal(&config, &facts).code,
        Code::EcsTaskDefinitionUnreadable
    );
}

/// For each step of the first stage, those that it waits for.
fn waits(config: &PatchConfig, facts: &Facts) -> Vec<(String, Vec<String>)> {
    let plan = decided(config, facts).expect("there is a plan");
    let steps = &plan.stages[0].steps;
    let name = |step: &Step| {
        step.to_string()
            .split(' ')
            .take(4)
            .collect::<Vec<_>>()
            .join(" ")
    };
    steps
        .iter()
        .map(|step| {
            let needed = steps.iter().filter(|other| step.needs(other));
            (name(step), needed.map(name).collect())
        })
        .collect()
}

#[test]
fn each_step_of_a_stage_waits_for_what_it_needs_and_for_nothing_else() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    if let Ok(sensor) = &mut facts.sensor {
        sensor.copy = Some(SensorCopy {
            from: Repository::new("registry.crowdstrike.com", "falcon-container"),
            digest: Digest::of(b"index"),
            to: repository("sensor"),
            tag: "7.39.0-7802".parse().expect("a tag"),
        });
    }
    let lines: Vec<String> = waits(&config(|_| {}), &facts)
        .into_iter()
        .map(|(step, needed)| format!("{step} <- {}", needed.join(", ")))
        .collect();
    insta::assert_snapshot!(lines.join("\n"), @r"
    Copy the sensor registry.crowdstrike.com/falcon-container@1bc04b5291c2 <- 
    Pull the source image <- 
    Pull the sensor image <- Copy the sensor registry.crowdstrike.com/falcon-container@1bc04b5291c2
    Pull the sensor image <- Copy the sensor registry.crowdstrike.com/falcon-container@1bc04b5291c2
    Install the ARM64 emulator <- 
    Check that ARM64 programs <- Pull the sensor image, Install the ARM64 emulator
    Ask the native falconutil <- Pull the sensor image
    ");
}

fn staging(change: impl FnOnce(&mut Inputs)) -> PatchConfig {
    config(|i| {
        i.staging_registry = "local".into();
        change(i);
    })
}

#[test]
fn staged_images_are_pulled_from_where_they_are_staged() {
    let config = staging(|_| {});
    let mut facts = facts();
    insta::assert_snapshot!(drawn(&config, &facts).lines().take(2).collect::<Vec<_>>().join("\n"), @r"
    ? Stage source and sensor in a local registry of docker.io/library/registry
    ? Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Pull the sensor image (the agent's platform) sensor@5861314d7fcc | Check that ARM64 programs run | Ask the native falconutil for its flags
    ");
    let local = |name| Repository::new("127.0.0.1:32768", name);
    facts.staged = Some(Staged {
        source: local("app/web"),
        source_digest: Digest::of(b"source"),
        sensor: local("sensor"),
    });
    let stages = decided(&config, &facts).expect("a plan").stages;
    let pulled: Vec<String> = stages[0]
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Pull(pull) => Some(pull.repository.to_string()),
            Step::ProbeArm64 { image } => Some(image.split('@').next()?.to_owned()),
            _ => None,
        })
        .collect();
    let (source, sensor) = ("127.0.0.1:32768/app/web", "127.0.0.1:32768/sensor");
    assert_eq!(pulled, [source, sensor, sensor, sensor]);
}

#[test]
fn a_source_of_the_engine_is_pulled_once_it_is_staged() {
    let config = staging(|_| {});
    let mut facts = facts();
    if let Ok(source) = &mut facts.source {
        source.place = SourcePlace::Engine {
            id: "sha256:1".to_owned(),
        };
    }
    assert!(!drawn(&config, &facts).contains("Pull the source image"));
    facts.staged = Some(Staged {
        source: Repository::new("127.0.0.1:32768", "source"),
        source_digest: Digest::of(b"staged"),
        sensor: Repository::new("127.0.0.1:32768", "sensor"),
    });
    assert!(drawn(&config, &facts).contains("Pull the source image source@"));
}

pub mod grafting;
