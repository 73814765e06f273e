//! Plans with `strategy: graft`.

use serde_json::json;

use super::drawing::{drawn, refusal, repository};
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::probes::Probes;
use crate::flow::facts::source::SourcePlace;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::config;
use crate::test_support::facts::facts;

fn graft() -> PatchConfig {
    config(|inputs| {
        inputs.strategy = "graft".into();
        inputs.additional_tags = "latest".into();
    })
}

/// All probes made, and the sensor in the engine.
fn probed(grafted: Option<Result<(), Obstacle>>) -> Facts {
    Facts {
        in_engine: [b"arm64".as_slice(), b"amd64"].map(Digest::of).into(),
        probes: Probes {
            arm64_runs: Some(true),
            native_knows_platform: Some(true),
            graft: grafted,
            ..Probes::default()
        },
        ..facts()
    }
}

#[test]
fn the_source_is_not_pulled_and_the_tags_come_last() {
    insta::assert_snapshot!(drawn(&graft(), &facts()), @r"
    ? Pull the sensor image (linux/arm64) sensor@f69162950f23 | Fetch falconutil out of the native sensor image sensor@5861314d7fcc | Check that ARM64 programs run | Ask the native falconutil for its flags
    if falconutil does not run outside of its image: Pull the sensor image (the agent's platform) sensor@5861314d7fcc
    if the native falconutil knows `--platform`: Patch a stub of the source with the native falconutil
    if it does not: Patch a stub of the source with the ARM64 falconutil under emulation
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon | Add the tag latest
    ");
}

#[test]
fn a_source_without_content_in_the_engine_leaves_a_graft_and_else_nothing() {
    let full = config(|_| {});
    let incomplete = Problem {
        code: Code::EngineImageIncomplete,
        what: "no content".to_owned(),
        why: Vec::new(),
        hint: None,
    };
    let mut facts = probed(None);
    facts.probes.source_incomplete = Some(incomplete.clone());
    insta::assert_snapshot!(drawn(&full, &facts), @r"
    ? Patch a stub of the source with the native falconutil
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
    facts.probes.graft = Some(Err(Obstacle::Unproven("it has no sensor".to_owned())));
    assert_eq!(refusal(&full, &facts), incomplete);
}

#[test]
fn a_graft_is_a_probe_of_what_falconutil_does() {
    insta::assert_snapshot!(drawn(&graft(), &probed(None)), @r"
    ? Patch a stub of the source with the native falconutil
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon | Add the tag latest
    ");
}

#[test]
fn a_graft_that_is_possible_is_pushed() {
    let mut facts = probed(Some(Ok(())));
    if let Ok(target) = &mut facts.target {
        target.is_missing = true;
    }
    insta::assert_snapshot!(drawn(&graft(), &facts), @r"
    Create the repository 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon | Add the tag latest
    ");
}

#[test]
fn an_obstacle_to_a_graft_leads_to_the_full_strategy() {
    let obstacle = Obstacle::Unproven("it has no sensor".to_owned());
    insta::assert_snapshot!(drawn(&graft(), &probed(Some(Err(obstacle)))), @r"
    Pull the source image app/web@41cf6794ba42
    Patch with the native falconutil
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon | Add the tag latest
    ");
}

#[test]
fn a_source_that_cannot_be_grafted_is_patched_in_full_from_the_start() {
    let full = drawn(
        &config(|inputs| inputs.additional_tags = "latest".into()),
        &facts(),
    );
    let mut with_triggers = facts();
    let triggers = json!({"Entrypoint": ["/entry.sh"], "OnBuild": ["RUN make"]});
    if let Ok(source) = &mut with_triggers.source {
        source.place = SourcePlace::Registry {
            repository: repository("app/web"),
            image: RegistryImage {
                digest: Digest::of(b"source"),
                ..RegistryImage::of(&["a"], &triggers)
            }
            .into(),
            from_index: false,
        };
    }
    assert_eq!(drawn(&graft(), &with_triggers), full);
}
