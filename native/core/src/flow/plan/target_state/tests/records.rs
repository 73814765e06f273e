//! Records that are believed, and images without one.

use std::sync::Arc;

use serde_json::json;

use super::{current, records, with};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::{IgnoredRecord, IgnoredWhy};
use crate::domain::reference::digest::Digest;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::plan::target_state::{Reason, TargetState, matching_record};
use crate::test_support::config::config;
use crate::test_support::facts::{no_engine, patched, up_to_date};
use crate::test_support::signing_key::TestKey;

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
