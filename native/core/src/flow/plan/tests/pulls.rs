//! The images that are pulled, and the order of the steps around them.

use super::drawing::{decided, drawn, repository};
use crate::domain::emulation::Registration;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::sensor::SensorCopy;
use crate::flow::facts::source::SourcePlace;
use crate::flow::facts::staged::Staged;
use crate::flow::inputs::Inputs;
use crate::flow::plan::step::Step;
use crate::test_support::config::config;
use crate::test_support::facts::facts;

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
