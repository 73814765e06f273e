use std::sync::Arc;

use serde_json::json;

use super::{Reason, TargetState, matching_record};
use crate::domain::emulation::Registration;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::{IgnoredRecord, IgnoredWhy};
use crate::domain::provenance::option_fields::{DifferingOptions, OptionFields};
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::domain::reference::digest::Digest;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourcePlace;
use crate::flow::facts::target::CurrentImage;
use crate::flow::plan::decide::{changes_nothing, plan};
use crate::report::code::Code;
use crate::report::secret::Secret;
use crate::test_support::config::{CUSTOMER, config};
use crate::test_support::facts::{engine, no_engine, patched, up_to_date, with_task_definition};
use crate::test_support::signing_key::TestKey;

fn current(facts: &mut Facts) -> &mut CurrentImage {
    let target = facts.target.as_mut().expect("a target");
    target.current.as_mut().expect("an image")
}

fn records(facts: &mut Facts) -> &mut Vec<Provenance> {
    let records = current(facts).provenance.as_mut();
    &mut records.expect("readable records").believed
}

fn with(change: impl FnOnce(&mut Facts)) -> TargetState {
    let config = config(|_| {});
    let mut facts = up_to_date(&config);
    change(&mut facts);
    TargetState::of(&config, &facts)
}

#[test]
fn an_image_made_of_the_same_is_up_to_date() {
    assert_eq!(with(|_| {}), TargetState::UpToDate);
    // Other records of the image do not matter.
    let among_others = with(|facts| {
        let other = Provenance {
            recipe: Recipe {
                sensor: Digest::of(b"older"),
                ..records(facts)[0].recipe.clone()
            },
            ..records(facts)[0].clone()
        };
        records(facts).insert(0, other);
    });
    assert_eq!(among_others, TargetState::UpToDate);
}

#[test]
fn the_options_that_have_changed_are_named_as_far_as_the_record_tells() {
    let change = |known: &mut Provenance| known.recipe.options = Digest::of(b"others");
    for (recorded, expected) in [
        (
            Some(("--tags=other", "CLOUD_RUN")),
            "it was patched with another value of `cloudService`, `falconctlOptions`",
        ),
        (
            None,
            "it was patched with another customer ID or other options",
        ),
    ] {
        let fields = recorded.map(|(options, service)| {
            let mut falcon = config(|_| {}).falcon;
            falcon.falconctl_options = Some(Secret::new(options));
            falcon.cloud_service = Some(service.to_owned());
            OptionFields::of(&falcon.for_customer(CUSTOMER.parse().expect("an ID")))
        });
        let state = with(|facts| {
            let known = &mut records(facts)[0];
            change(known);
            known.options = fields.unwrap_or_default();
        });
        let TargetState::Outdated(reason) = state else {
            panic!("{state:?}")
        };
        assert_eq!(reason.text().as_deref(), Some(expected));
    }
}

#[test]
fn each_change_is_a_reason_to_patch() {
    let outdated = |change: fn(&mut Provenance)| with(|facts| change(&mut records(facts)[0]));
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
        TargetState::Outdated(Reason::Options(DifferingOptions::default()))
    );
    let nearest = with(|facts| {
        let known = records(facts);
        known[0].recipe.options = Digest::of(b"others");
        let mut other = known[0].clone();
        other.recipe.source = Some(Digest::of(b"older"));
        known.insert(0, other);
    });
    assert_eq!(
        nearest,
        TargetState::Outdated(Reason::Options(DifferingOptions::default()))
    );
    let asked = config(|inputs| inputs.skip_unchanged = "false".to_owned());
    assert_eq!(
        TargetState::of(&asked, &up_to_date(&asked)),
        TargetState::Outdated(Reason::Asked)
    );
    let missing = with(|facts| facts.target.as_mut().expect("a target").current = None);
    assert_eq!(missing, TargetState::Outdated(Reason::Missing));
}

#[test]
fn an_image_of_the_engine_is_always_patched() {
    let state = with(|facts| {
        records(facts)[0].recipe.source = None;
        facts.source.as_mut().expect("a source").place = SourcePlace::Engine {
            id: "sha256:1".to_owned(),
        };
    });
    assert_eq!(state, TargetState::Outdated(Reason::Source));
}

#[test]
fn provenance_is_not_trusted_where_the_image_differs() {
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
        let state = with(|facts| current(facts).image = Arc::new(image));
        assert_eq!(state, TargetState::Outdated(Reason::Disagreement), "{what}");
    }
}

#[test]
fn an_unrecorded_image_is_adopted_only_where_its_tag_is_fixed() {
    let unrecorded = |mutability: Option<TagMutability>, image: RegistryImage| {
        with(|facts| {
            records(facts).clear();
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
fn with_keys_an_image_without_a_trusted_record_is_never_kept() {
    let keys = KeyFacts {
        trust: Trust::Keys(vec![TestKey::new().trusted("alias/x")]),
    };
    let unsigned = IgnoredRecord {
        artifact: Digest::of(b"artifact"),
        is_ours: true,
        why: IgnoredWhy::Unsigned,
    };
    for (ignored, reason) in [
        (Vec::new(), Reason::Unrecorded),
        (vec![unsigned], Reason::Untrusted),
    ] {
        let state = with(|facts| {
            facts.keys = Ok(keys.clone());
            facts.target.as_mut().expect("a target").mutability = Some(TagMutability::Immutable);
            let known = current(facts).provenance.as_mut().expect("records");
            known.believed.clear();
            known.ignored = ignored;
        });
        assert_eq!(state, TargetState::Outdated(reason));
    }
    let unread = with(|facts| {
        facts.keys = Ok(keys.clone());
        let known = current(facts).provenance.as_mut().expect("records");
        known.believed.clear();
        known.unread = 1;
    });
    assert_eq!(unread, TargetState::Outdated(Reason::Untrusted));
    let signed = with(|facts| facts.keys = Ok(keys.clone()));
    assert_eq!(signed, TargetState::UpToDate);
}

#[test]
fn the_record_that_is_the_same_is_the_one_that_vouches() {
    let config = config(|_| {});
    let mut facts = up_to_date(&config);
    let mut other = records(&mut facts)[0].clone();
    other.recipe.sensor = Digest::of(b"another");
    other.signer = Some("alias/other".to_owned());
    records(&mut facts)[0].signer = Some("alias/x".to_owned());
    records(&mut facts).insert(0, other);
    let record = matching_record(&config, &facts).expect("a record");
    assert_eq!(record.signer.as_deref(), Some("alias/x"));
    records(&mut facts).truncate(1);
    assert_eq!(matching_record(&config, &facts), None);
}

#[test]
fn an_image_whose_records_cannot_be_read_is_never_kept() {
    for mutability in [TagMutability::Immutable, TagMutability::Mutable] {
        let state = with(|facts| {
            current(facts).provenance = Err(no_engine());
            facts.target.as_mut().expect("a target").mutability = Some(mutability);
        });
        assert_eq!(state, TargetState::Outdated(Reason::Unreadable));
        assert!(!state.keeps_image());
    }
}

#[test]
fn missing_facts_leave_the_state_unknown() {
    assert_eq!(
        with(|facts| facts.source = Err(no_engine())),
        TargetState::Unknown
    );
    assert_eq!(
        with(|facts| facts.target = Err(no_engine())),
        TargetState::Unknown
    );
}

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

fn with_definition(config: &PatchConfig) -> Facts {
    with_task_definition(up_to_date(config))
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
fn the_container_of_the_ecs_task_definition_is_one_of_the_options() {
    let config = config(|_| {});
    let state = TargetState::of(&config, &with_definition(&config));
    let TargetState::Outdated(reason) = state else {
        panic!("{state:?}")
    };
    assert_eq!(
        reason.text().as_deref(),
        Some("it was patched with another value of `containerName`")
    );
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
