//! The native falconutil without its image.

use super::drawing::{decided, drawn, repository};
use crate::domain::engine::{EngineMounts, Mountable};
use crate::domain::falcon::elf::ElfFault;
use crate::domain::falcon::program::ProgramObstacle;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::{PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::sensor::SensorCopy;
use crate::flow::plan::native_program::native_program;
use crate::flow::plan::step::{Falconutil, Role, Step};
use crate::test_support::config::config;
use crate::test_support::facts::facts;

fn graft() -> PatchConfig {
    config(|inputs| inputs.strategy = "graft".into())
}

/// The ARM64 image is there and runs, and the program was fetched and asked.
fn after(program: Result<(), ProgramObstacle>, knows_platform: Option<bool>) -> Facts {
    let mut facts = facts();
    facts.in_engine.insert(Digest::of(b"arm64"));
    facts.probes.arm64_runs = Some(true);
    facts.probes.program = Some(program);
    facts.probes.native_knows_platform = knows_platform;
    facts
}

/// The first stages of a graft.
fn stages(facts: &Facts, count: usize) -> String {
    let text = drawn(&graft(), facts);
    text.lines().take(count).collect::<Vec<_>>().join("\n")
}

/// The falconutil that a graft would run.
fn patching(facts: &Facts) -> Falconutil {
    let plan = decided(&graft(), facts).expect("a plan");
    let steps = plan.stages.into_iter().flat_map(|stage| stage.steps);
    let patching = steps.into_iter().find_map(|step| match step {
        Step::Graft(falconutil) | Step::Patch(falconutil) => Some(falconutil),
        _ => None,
    });
    patching.expect("a step that patches")
}

#[test]
fn a_program_that_runs_saves_the_second_pull() {
    let facts = after(Ok(()), Some(true));
    insta::assert_snapshot!(stages(&facts, 2), @r"
    ? Patch a stub of the source with the native falconutil
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    ");
    let falconutil = patching(&facts);
    assert_eq!(
        falconutil.image,
        repository("sensor").at(&Digest::of(b"arm64"))
    );
    let program = falconutil.program.expect("a program");
    assert_eq!(program.image, Digest::of(b"amd64"));
    assert!(falconutil.knows_platform && !falconutil.emulated);
}

#[test]
fn a_program_without_the_flag_leaves_the_arm64_one_and_no_pull() {
    insta::assert_snapshot!(stages(&after(Ok(()), Some(false)), 2), @r"
    ? Ask the ARM64 falconutil under emulation for its flags
    ? Patch a stub of the source with the ARM64 falconutil under emulation
    ");
}

#[test]
fn an_obstacle_leads_to_the_native_image() {
    let obstacle = ProgramObstacle::NotStatic(ElfFault::Interpreter);
    insta::assert_snapshot!(stages(&after(Err(obstacle), None), 3), @r"
    ? Pull the sensor image (the agent's platform) sensor@5861314d7fcc | Ask the native falconutil for its flags
    if the native falconutil knows `--platform`: Patch a stub of the source with the native falconutil
    if it does not: Patch a stub of the source with the ARM64 falconutil under emulation
    ");
    // It had an answer, and failed at its work.
    let failed = after(Err(ProgramObstacle::Ended { exit_code: 139 }), Some(true));
    insta::assert_snapshot!(stages(&failed, 2), @r"
    Pull the sensor image (the agent's platform) sensor@5861314d7fcc
    ? Patch a stub of the source with the native falconutil
    ");
    let falconutil = patching(&failed);
    assert_eq!(falconutil.program, None);
    assert_eq!(
        falconutil.image,
        repository("sensor").at(&Digest::of(b"amd64"))
    );
}

#[test]
fn a_graft_that_is_not_possible_runs_falconutil_in_its_image() {
    let mut facts = after(Ok(()), Some(true));
    facts.probes.graft = Some(Err(Obstacle::Unproven("it has no sensor".to_owned())));
    insta::assert_snapshot!(stages(&facts, 2), @r"
    Pull the source image app/web@41cf6794ba42 | Pull the sensor image (the agent's platform) sensor@5861314d7fcc
    Patch with the native falconutil
    ");
    assert_eq!(patching(&facts).program, None);
}

#[test]
fn nothing_is_fetched_where_that_saves_no_pull() {
    let is_asked = |config: &PatchConfig, facts: &Facts| {
        native_program(config, facts, config.strategy).is_some()
    };
    assert!(is_asked(&graft(), &facts()));
    assert!(!is_asked(&config(|_| {}), &facts()));
    // A source without content in the engine is grafted, although the images are staged.
    let staging = config(|inputs| inputs.staging_registry = "local".into());
    assert_eq!(native_program(&staging, &facts(), Strategy::Graft), None);
    let mut held = facts();
    held.in_engine.insert(Digest::of(b"amd64"));
    assert!(!is_asked(&graft(), &held));
    let mut single = facts();
    if let Ok(sensor) = &mut single.sensor {
        sensor.native = None;
    }
    assert!(!is_asked(&graft(), &single));
}

#[test]
fn an_engine_that_may_not_mount_the_file_gets_the_native_image() {
    for (agent_folder, expected) in [
        (Mountable::Yes, Ok(())),
        (Mountable::No, Err(ProgramObstacle::NotMountable)),
        (
            Mountable::Unknown("it is silent".to_owned()),
            Err(ProgramObstacle::NotMountable),
        ),
    ] {
        let mut facts = facts();
        facts.mounts = Some(EngineMounts {
            agent_folder,
            engine_socket: None,
        });
        let seen = native_program(&graft(), &facts, Strategy::Graft);
        assert_eq!(seen, Some(expected.clone()));
        let is_fetched = drawn(&graft(), &facts).contains("Fetch falconutil");
        assert_eq!(is_fetched, expected.is_ok());
    }
}

#[test]
fn the_program_is_fetched_after_the_copy_and_asked_in_the_arm64_image() {
    let mut facts = facts();
    if let Ok(sensor) = &mut facts.sensor {
        sensor.copy = Some(SensorCopy {
            from: Repository::new("registry.crowdstrike.com", "falcon-container"),
            digest: Digest::of(b"index"),
            to: repository("sensor"),
            tag: "7.39.0-7802".parse().expect("a tag"),
        });
    }
    let plan = decided(&graft(), &facts).expect("a plan");
    let steps = &plan.stages[0].steps;
    let needed = |wanted: fn(&Step) -> bool| -> Vec<&Step> {
        let step = steps.iter().find(|step| wanted(step)).expect("a step");
        steps.iter().filter(|other| step.needs(other)).collect()
    };
    let of_fetch = needed(|step| matches!(step, Step::FetchFalconutil(_)));
    assert!(
        matches!(of_fetch[..], [Step::CopySensor(_)]),
        "{of_fetch:?}"
    );
    let of_question = needed(|step| matches!(step, Step::ProbeFalconutil(_)));
    assert!(
        matches!(of_question[..], [Step::Pull(pull), Step::FetchFalconutil(_)] if pull.role == Role::Sensor),
        "{of_question:?}"
    );
}
