//! Plans with an answer of the graft cache.

use std::sync::Arc;

use serde_json::json;

use super::drawing::{decided, drawn, refusal};
use crate::domain::assembly::assembled::Assembled;
use crate::domain::assembly::change::Change;
use crate::domain::assembly::packed_layer::PackedLayer;
use crate::domain::builder::BuilderName;
use crate::domain::graft::cached::CachedGraft;
use crate::domain::graft::entry_fault::EntryFault;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::provenance::key::Trust;
use crate::domain::reference::digest::Digest;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::graft_cache::{CacheAnswer, CacheHit, GraftCacheFacts};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::sensor::SensorCopy;
use crate::flow::facts::source::SourcePlace;
use crate::flow::plan::decide::uses_engine;
use crate::flow::plan::graft_source::cache_question;
use crate::flow::plan::target_state::TargetState;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::config;
use crate::test_support::facts::{engine, facts, no_engine};

fn graft() -> PatchConfig {
    config(|inputs| inputs.strategy = "graft".into())
}

/// Facts of an agent whose engine was not asked, with an answer of the cache.
fn answered(answer: CacheAnswer) -> Facts {
    let facts = facts();
    let asked = cache_question(&graft(), &facts, TargetState::of(&graft(), &facts));
    let question = asked.expect("a question").question;
    Facts {
        engine: None,
        mounts: None,
        graft_cache: Some(GraftCacheFacts { question, answer }),
        ..facts
    }
}

fn hit() -> CacheAnswer {
    let mut source = RegistryImage::of(&["a"], &json!({}));
    source.manifest.bytes = br#"{"schemaVersion":2,"layers":[{}]}"#.to_vec();
    let layer = PackedLayer {
        diff_id: Digest::of(b"unpacked"),
        digest: Digest::of(b"packed"),
        size: 6,
    };
    let assembled = Assembled::of(&source, &Change::default(), &layer);
    CacheAnswer::Hit(CacheHit {
        entry: Digest::of(b"entry"),
        signer: None,
        graft: Arc::new(CachedGraft {
            assembled: assembled.expect("an image"),
            additions: Vec::new(),
        }),
    })
}

fn missing() -> CacheAnswer {
    CacheAnswer::Missing { nearest: None }
}

#[test]
fn an_answer_of_the_cache_leaves_the_push() {
    let facts = answered(hit());
    insta::assert_snapshot!(drawn(&graft(), &facts), @r"
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
    let state = TargetState::of(&graft(), &facts);
    assert!(!uses_engine(&graft(), &facts, state));
    assert!(!decided(&graft(), &facts).expect("a plan").uses_engine());
}

#[test]
fn a_sensor_that_is_to_be_copied_is_copied_beside_an_answer() {
    let mut facts = answered(hit());
    let sensor = facts.sensor.as_mut().expect("a sensor");
    sensor.copy = Some(SensorCopy {
        from: sensor.repository.clone(),
        digest: Digest::of(b"index"),
        to: sensor.repository.clone(),
        tag: "7.39.0-7802".parse().expect("a tag"),
    });
    let drawn = drawn(&graft(), &facts);
    assert!(drawn.starts_with("Copy the sensor "), "{drawn}");
}

#[test]
fn a_builder_for_later_steps_needs_the_engine_beside_an_answer() {
    let name: BuilderName = "arm64builder".parse().expect("a name");
    let config = PatchConfig {
        builder: Some(name),
        ..graft()
    };
    let mut facts = answered(hit());
    facts.builder = Some(Ok(BuilderFacts {
        buildx: "v0.29.1".to_owned(),
        is_made: false,
    }));
    assert!(uses_engine(&config, &facts, TargetState::Unknown));
    facts.engine = Some(Ok(engine()));
    let drawn = drawn(&config, &facts);
    assert!(drawn.starts_with("Create the buildx builder"), "{drawn}");
    assert!(decided(&config, &facts).expect("a plan").uses_engine());
}

#[test]
fn a_graft_that_is_not_in_the_cache_is_kept() {
    for answer in [missing(), CacheAnswer::Refused(EntryFault::OtherQuestion)] {
        let mut facts = answered(answer);
        facts.engine = Some(Ok(engine()));
        let tag = facts.graft_cache.as_ref().map(|cache| cache.question.tag());
        let kept = format!("Keep the graft for later runs as {}", tag.expect("a tag"));
        assert!(drawn(&graft(), &facts).contains(&kept));
        facts.probes.graft = Some(Ok(()));
        assert!(drawn(&graft(), &facts).contains(&kept));
        // What is not a graft is not kept.
        facts.probes.graft = Some(Err(Obstacle::OnBuild));
        assert!(!drawn(&graft(), &facts).contains("Keep the graft"));
    }
}

#[test]
fn without_engine_and_entry_the_problem_names_both() {
    let mut facts = answered(missing());
    facts.engine = Some(Err(no_engine()));
    let problem = refusal(&graft(), &facts);
    assert_eq!(problem.code, Code::EngineNotReachable);
    insta::assert_snapshot!(problem.what, @"The graft cache has no usable entry for this image, and a new graft needs a Docker Engine, which this agent does not have");
    assert_eq!(problem.why, ["No engine"]);
    facts.graft_cache = None;
    assert_eq!(refusal(&graft(), &facts), no_engine());
}

#[test]
fn where_the_cache_may_do_the_images_problems_come_before_a_missing_engine() {
    let missing_source = Problem {
        code: Code::RegistryImageNotFound,
        ..no_engine()
    };
    let mut facts = answered(missing());
    facts.engine = Some(Err(no_engine()));
    facts.source = Err(missing_source.clone());
    assert_eq!(refusal(&graft(), &facts), missing_source);
    facts.graft_cache = None;
    let full = config(|_| {});
    assert_eq!(refusal(&full, &facts).code, Code::EngineNotReachable);
}

#[test]
fn an_engine_that_was_not_asked_is_a_bug_of_the_task() {
    let facts = answered(missing());
    assert_eq!(refusal(&graft(), &facts).code, Code::TaskInternal);
}

#[test]
fn the_cache_is_asked_for_grafts_of_registry_images_alone() {
    let asked = |config: &PatchConfig, facts: &Facts| {
        cache_question(config, facts, TargetState::of(config, facts)).is_some()
    };
    assert!(asked(&graft(), &facts()));
    assert!(!asked(&config(|_| {}), &facts()));
    let without = config(|inputs| {
        inputs.strategy = "graft".into();
        inputs.graft_cache = "none".into();
    });
    assert!(!asked(&without, &facts()));
    assert!(cache_question(&graft(), &facts(), TargetState::UpToDate).is_none());
    let mut of_engine = facts();
    if let Ok(source) = &mut of_engine.source {
        source.place = SourcePlace::Engine {
            id: "sha256:1".to_owned(),
        };
    }
    assert!(!asked(&graft(), &of_engine));
    let mut trusting = facts();
    if let Ok(keys) = &mut trusting.keys {
        keys.trust = Trust::Keys(Vec::new());
    }
    let state = TargetState::of(&graft(), &trusting);
    let question = cache_question(&graft(), &trusting, state).expect("a question");
    assert_eq!(question.trust, &Trust::Keys(Vec::new()));
}
