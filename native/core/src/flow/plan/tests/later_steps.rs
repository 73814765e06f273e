//! The steps around the image: repository, builder and ECS task definition.

use super::drawing::drawn;
use crate::domain::provenance::known_records::KnownRecords;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::target::TargetFacts;
use crate::flow::inputs::Inputs;
use crate::test_support::config::{HOST, config};
use crate::test_support::facts::{facts, up_to_date, with_task_definition};

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
    assert_eq!(
        lines[nth - 1],
        "Put the sensor's files on the source and compare the images"
    );
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
fn an_ecs_task_definition_is_written_and_registered_last() {
    let facts = with_task_definition(facts());
    let last = |inputs: fn(&mut Inputs)| {
        let drawn = drawn(&config(inputs), &facts);
        drawn.lines().rev().take(3).collect::<Vec<_>>().join("\n")
    };
    insta::assert_snapshot!(last(|i| i.task_definition = "ecs.json".into()), @r"
    Write the ECS task definition
    Add the tag 1-falcon
    Record what the image was made of
    ");
    insta::assert_snapshot!(last(|i| {
        i.task_definition = "ecs.json".into();
        i.register_task_definition = "true".into();
    }), @r"
    Register the ECS task definition
    Write the ECS task definition
    Add the tag 1-falcon
    ");
}

#[test]
fn a_tag_that_names_another_image_names_it_in_its_step() {
    let config = config(|_| {});
    let tag_step = |config: &PatchConfig, facts: &Facts| {
        let drawn = drawn(config, facts);
        drawn.lines().last().unwrap_or_default().to_owned()
    };
    let mut facts = Facts {
        engine: facts().engine,
        ..up_to_date(&config)
    };
    let target = facts.target.as_mut().expect("a target");
    let current = target.current.as_mut().expect("an image");
    let (digest, patched) = (current.image.digest.clone(), current.image.clone());
    target.existing = vec![(config.target_tag.clone(), digest.clone())];
    current.provenance = Ok(KnownRecords::all(Vec::new()));
    let named = format!("Add the tag 1-falcon, which replaces {digest}");
    assert_eq!(tag_step(&config, &facts), named);
    let mut plain = (*patched).clone();
    plain.config["config"] = serde_json::json!({"Cmd": ["web"]});
    let target = facts.target.as_mut().expect("a target");
    target.current.as_mut().expect("an image").image = plain.into();
    let named = format!("{named}, not a patched image");
    assert_eq!(tag_step(&config, &facts), named);
}
