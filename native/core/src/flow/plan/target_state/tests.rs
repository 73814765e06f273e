mod kept;
mod records;

use super::{Reason, TargetState};
use crate::domain::provenance::option_fields::{DifferingOptions, OptionFields};
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::domain::reference::digest::Digest;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::SourcePlace;
use crate::flow::facts::target::CurrentImage;
use crate::report::secret::Secret;
use crate::test_support::config::{CUSTOMER, config};
use crate::test_support::facts::{no_engine, up_to_date, with_task_definition};

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
fn the_container_of_the_ecs_task_definition_is_one_of_the_options() {
    let config = config(|_| {});
    let state = TargetState::of(&config, &with_task_definition(up_to_date(&config)));
    let TargetState::Outdated(reason) = state else {
        panic!("{state:?}")
    };
    assert_eq!(
        reason.text().as_deref(),
        Some("it was patched with another value of `containerName`")
    );
}
