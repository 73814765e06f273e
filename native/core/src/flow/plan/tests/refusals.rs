//! The facts that rule out a patch.

use std::sync::Arc;

use serde_json::json;

use super::drawing::{decided, refusal};
use crate::domain::ecs::task_definition::{TaskDefinition, Wanted};
use crate::domain::emulation::Registration;
use crate::domain::engine::{EngineFacts, EngineMounts, Mountable, Store};
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::tag::Tag;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourcePlace;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::config;
use crate::test_support::facts::{engine, facts, up_to_date};

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

/// The usual facts, but for the number of the source's layers.
fn with_layers(layers: usize) -> Facts {
    let mut facts = facts();
    let source = facts.source.as_mut().expect("a source");
    source.diff_ids = (0..layers).map(|layer| format!("sha256:{layer}")).collect();
    let config = json!({"Entrypoint": ["/entry.sh"]});
    let diff_ids: Vec<&str> = source.diff_ids.iter().map(String::as_str).collect();
    let image = RegistryImage::of(&diff_ids, &config);
    if let SourcePlace::Registry { image: known, .. } = &mut source.place {
        *known = Arc::new(image);
    }
    facts
}

#[test]
fn a_source_whose_layers_are_miscounted_is_refused_with_either_strategy() {
    let mut facts = with_layers(2);
    let source = facts.source.as_mut().expect("a source");
    if let SourcePlace::Registry { image, .. } = &mut source.place {
        let mut miscounted = (**image).clone();
        miscounted.layers.pop();
        *image = Arc::new(miscounted);
    }
    for strategy in ["full", "graft"] {
        let config = config(|inputs| inputs.strategy = strategy.into());
        let problem = refusal(&config, &facts);
        assert_eq!(problem.code, Code::RegistryAnswerInvalid);
        assert!(problem.why[0].contains("1 layers"), "{:?}", problem.why);
    }
}

#[test]
fn a_source_with_more_layers_than_the_store_takes_is_refused_with_a_graft_as_the_way_out() {
    let full = config(|_| {});
    let graft = config(|inputs| inputs.strategy = "graft".into());
    assert!(decided(&full, &with_layers(125)).is_ok());
    let mut facts = with_layers(126);
    let problem = refusal(&full, &facts);
    assert_eq!(problem.code, Code::EngineTooManyLayers);
    insta::assert_snapshot!(problem.what, @"The source has 126 layers, and the engine's overlay2 image store takes 125 at most");
    assert!(
        problem
            .hint
            .is_some_and(|hint| hint.contains("`strategy: graft`"))
    );
    assert!(decided(&graft, &facts).is_ok());

    // A graft that has failed cannot be the way out.
    facts.probes.graft = Some(Err(Obstacle::Unproven("it has no sensor".to_owned())));
    let problem = refusal(&graft, &facts);
    assert_eq!(problem.code, Code::EngineTooManyLayers);
    assert!(problem.hint.is_some_and(|hint| !hint.contains("graft")));

    let mut facts = with_layers(126);
    facts.engine = Some(Ok(EngineFacts {
        store: Store::Containerd,
        ..engine()
    }));
    assert!(decided(&full, &facts).is_ok());
    facts.engine = Some(Ok(EngineFacts {
        store: Store::Other("btrfs".to_owned()),
        ..engine()
    }));
    assert_eq!(refusal(&full, &facts).code, Code::EngineTooManyLayers);
}

#[test]
fn an_image_of_the_engine_with_too_many_layers_has_no_graft() {
    let mut facts = with_layers(126);
    let source = facts.source.as_mut().expect("a source");
    source.place = SourcePlace::Engine {
        id: "sha256:1".to_owned(),
    };
    let problem = refusal(&config(|_| {}), &facts);
    assert!(problem.hint.is_some_and(|hint| !hint.contains("graft")));
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
    insta::assert_snapshot!(problem.hint.expect("a hint"), @"Set a tag in `targetImage` that is not there yet, such as `1-falcon-$(Build.BuildId)`; or except this tag from immutability: `aws ecr put-image-tag-mutability --registry-id 123456789012 --region eu-west-1 --repository-name app/web --image-tag-mutability IMMUTABLE_WITH_EXCLUSION --image-tag-mutability-exclusion-filters 'filterType=WILDCARD,filter=1-falcon'`");
}

#[test]
fn the_hint_on_an_immutable_tag_names_the_input_that_has_it() {
    let mut facts = facts();
    let target = facts.target.as_mut().expect("a target");
    target.mutability = Some(TagMutability::Immutable);
    target.existing = vec![("stable".parse().unwrap(), Digest::of(b"old"))];
    let problem = refusal(
        &config(|inputs| inputs.additional_tags = "stable".into()),
        &facts,
    );
    let hint = problem.hint.expect("a hint");
    assert!(
        hint.starts_with("Set a tag in `additionalTags` that is not there yet"),
        "{hint}"
    );
}

#[test]
fn the_commands_for_an_emulator_have_the_run_s_image() {
    let config = config(|inputs| inputs.emulation = "never".into());
    let mut facts = facts();
    facts.handler = Registration::Absent;
    let hint = refusal(&config, &facts).hint.expect("a hint");
    let image = &config.emulator_image;
    let image = image.repository.at(&image.digest);
    let command = format!("`docker run --privileged --rm {image} --install arm64`");
    assert!(hint.contains(&command), "{hint}");
}

#[test]
fn an_image_that_stays_and_whose_records_cannot_be_read_is_refused_with_the_cause() {
    let config = config(|_| {});
    let mut facts = up_to_date(&config);
    facts.engine = Some(Ok(engine()));
    let unreadable = Problem {
        code: Code::RegistryRequestFailed,
        what: "no list".to_owned(),
        why: vec!["the registry answers 500".to_owned()],
        hint: None,
    };
    let target = facts.target.as_mut().expect("a target");
    target.current.as_mut().expect("an image").provenance = Err(unreadable);
    target.existing = vec![("1-falcon".parse().unwrap(), Digest::of(b"old"))];
    target.mutability = Some(TagMutability::Mutable);
    assert!(decided(&config, &facts).is_ok());
    let target = facts.target.as_mut().expect("a target");
    target.mutability = Some(TagMutability::Immutable);
    let problem = refusal(&config, &facts);
    assert_eq!(problem.code, Code::RegistryRequestFailed);
    assert_eq!(problem.why, ["no list", "the registry answers 500"]);
    insta::assert_snapshot!(problem.what, @"`123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1-falcon` cannot be overwritten, and the records of its image cannot be read");
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
        if let Some(Ok(engine)) = &mut facts.engine {
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
    facts.engine = Some(Err(problem(Code::EngineNotReachable)));
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
fn a_builder_that_cannot_be_made_is_found_before_anything_is_done() {
    let mut facts = facts();
    let missing = Problem {
        code: Code::EngineBuildxMissing,
        what: "no buildx".to_owned(),
        why: vec![],
        hint: None,
    };
    facts.builder = Some(Err(missing.clone()));
    let config = config(|i| i.builder_name = "arm64builder".into());
    assert_eq!(refusal(&config, &facts), missing);
}

#[test]
fn a_task_definition_that_must_be_corrected_comes_before_everything_else() {
    let mut facts = facts();
    facts.task_definition = Some(TaskDefinition::read(b"{}", Wanted::default()));
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

#[test]
fn access_that_cannot_be_filtered_is_refused_only_where_it_must_be() {
    let mut facts = facts();
    facts.mounts = Some(EngineMounts {
        agent_folder: Mountable::No,
        engine_socket: None,
    });
    let code = refusal(&config(|i| i.engine_access = "filtered".into()), &facts).code;
    assert_eq!(code, Code::EngineAccessUnfiltered);
    for access in ["auto", "direct"] {
        assert!(decided(&config(|i| i.engine_access = access.into()), &facts).is_ok());
    }
}
