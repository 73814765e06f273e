//! The rest of the plan beside an image that is kept.

use std::sync::Arc;

use serde_json::json;

use super::{TargetState, current};
use crate::domain::emulation::Registration;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::patch::Facts;
use crate::flow::plan::decide::{changes_nothing, plan};
use crate::report::code::Code;
use crate::test_support::config::config;
use crate::test_support::facts::{engine, no_engine, patched, up_to_date, with_task_definition};

#[test]
fn beside_an_image_that_stays_only_missing_tags_are_put_and_no_engine_is_needed() {
    let config = config(|inputs| inputs.additional_tags = "stable\nlatest\nnew".to_owned());
    let mut facts = up_to_date(&config);
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
    assert!(!changes_nothing(&config, &facts, TargetState::UpToDate));
    let steps = steps_beside(&config, &facts);
    let latest = format!(
        "Add the tag latest, which replaces {}",
        Digest::of(b"another")
    );
    assert_eq!(steps, [latest.as_str(), "Add the tag new"]);
}

/// The steps beside an image that is kept.
fn steps_beside(config: &PatchConfig, facts: &Facts) -> Vec<String> {
    let state = TargetState::of(config, facts);
    assert_eq!(state, TargetState::UpToDate);
    let plan = plan(config, facts, state).expect("a plan");
    let steps = plan.stages.iter().flat_map(|stage| &stage.steps);
    steps.map(ToString::to_string).collect()
}

#[test]
fn an_image_that_is_kept_goes_into_the_ecs_task_definition_all_the_same() {
    let config = config(|i| {
        i.container_name = "web".to_owned();
        i.task_definition = "/s/ecs.json".to_owned();
        i.register_task_definition = "true".to_owned();
    });
    let mut facts = with_task_definition(up_to_date(&config));
    let mut object = patched();
    let variables = object["Env"].as_array_mut().expect("a list");
    variables.push(json!("CS_CONTAINER=web"));
    current(&mut facts).image = Arc::new(RegistryImage::of(&["a", "sensor"], &object));
    assert_eq!(TargetState::of(&config, &facts), TargetState::UpToDate);
    let steps = steps_beside(&config, &facts);
    assert_eq!(
        steps,
        [
            "Write the ECS task definition",
            "Register the ECS task definition"
        ]
    );
    // A deployment changes nothing in the registry, so no more facts are needed.
    assert!(changes_nothing(&config, &facts, TargetState::UpToDate));
}

#[test]
fn a_builder_for_later_steps_is_made_beside_an_image_that_is_kept() {
    let config = config(|i| i.builder_name = "arm64builder".into());
    let mut facts = up_to_date(&config);
    facts.handler = Registration::Absent;
    facts.builder = Some(Ok(BuilderFacts {
        buildx: "v0.29.1".to_owned(),
        is_made: false,
    }));
    facts.engine = Some(Err(no_engine()));
    let without_engine = plan(&config, &facts, TargetState::UpToDate).expect_err("no engine");
    assert_eq!(without_engine.code, Code::EngineNotReachable);
    facts.engine = Some(Ok(engine()));
    let steps = steps_beside(&config, &facts);
    assert_eq!(
        steps,
        [
            "Install the ARM64 emulator of docker.io/tonistiigi/binfmt",
            "Create the buildx builder `arm64builder` for linux/arm64"
        ]
    );
}
