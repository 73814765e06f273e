use serde_json::{Value, json};

use super::lookup;
use crate::domain::image::manifest::{OCI_INDEX, OCI_MANIFEST};
use crate::domain::provenance::bundle::BUNDLE_TYPE;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe, STATEMENT_TYPE};
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::test_support::config::falcon_options;
use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
use crate::test_support::loopback_server::{Received, Reply};

async fn read(
    answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> Result<Vec<Option<String>>, Code> {
    let registry = LoopbackRegistry::start(answer).await;
    let image = Digest::of(b"image");
    let lookup = lookup(&registry, &image, &Trust::Anyone);
    let read = lookup.provenance().await.map(|known| known.believed);
    let versions = read.map(|all| all.into_iter().map(|known| known.sensor_version).collect());
    versions.map_err(|problem| problem.code)
}

/// An entry of the list of referrers, with annotations that a test may change.
fn entry(change: impl FnOnce(&mut Value)) -> Value {
    let options = falcon_options();
    let recipe = Recipe::new(None, &Digest::of(b"sensor"), &options);
    let mut entry = json!({
        "mediaType": OCI_MANIFEST,
        "digest": Digest::of(b"artifact").as_str(),
        "size": 1,
        "artifactType": STATEMENT_TYPE,
        "annotations": Provenance::annotations(&recipe, &OptionFields::of(&options), Some("7.39.0-7802")),
    });
    change(&mut entry);
    entry
}

fn list(entries: &[Value]) -> Reply {
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    Reply::new(200, &[("content-type", OCI_INDEX)], index.to_string())
}

#[tokio::test]
async fn records_that_cannot_be_read_are_a_problem() {
    for (status, code) in [
        (400, Code::RegistryRequestFailed),
        (403, Code::RegistryDenied),
        (500, Code::RegistryRequestFailed),
    ] {
        assert_eq!(read(move |_| refused(status)).await, Err(code), "{status}");
    }
    let reset = read(|_| Reply::none()).await;
    assert_eq!(reset, Err(Code::RegistryNotReachable));
    let no_list = read(|_| Reply::new(200, &[], "<html>")).await;
    assert_eq!(no_list, Err(Code::RegistryAnswerInvalid));
}

#[tokio::test]
async fn a_registry_without_the_api_and_without_an_index_has_no_records() {
    for status in [404, 405] {
        let answer = move |received: &Received| {
            let is_list = received.line.contains("/referrers/");
            refused(if is_list { status } else { 404 })
        };
        assert_eq!(read(answer).await, Ok(Vec::new()), "{status}");
    }
}

#[tokio::test]
async fn a_record_of_ours_with_a_flaw_is_a_problem_and_that_of_another_tool_is_not() {
    let good = || Ok(vec![Some("7.39.0-7802".to_owned())]);
    let foreign = entry(|entry| entry["annotations"] = json!({"tool": "another"}));
    let other_type = entry(|entry| entry["artifactType"] = json!("application/x"));
    let other_bundle = entry(|entry| {
        entry["artifactType"] = json!(BUNDLE_TYPE);
        entry["annotations"] = json!({"dev.sigstore.bundle.content": "dsse-envelope"});
    });
    let among_others = [foreign, entry(|_| {}), other_type, other_bundle];
    assert_eq!(read(move |_| list(&among_others)).await, good());
    let flawed = entry(|entry| entry["annotations"]["falcon-patch.sensor"] = json!("latest"));
    let beside_flawed = [entry(|_| {}), flawed];
    assert_eq!(
        read(move |_| list(&beside_flawed)).await,
        Err(Code::RegistryAnswerInvalid)
    );
}

#[tokio::test]
async fn without_a_key_a_signed_record_states_what_an_unsigned_one_does() {
    let signed = entry(|entry| entry["artifactType"] = json!(BUNDLE_TYPE));
    let stated = read(move |_| list(std::slice::from_ref(&signed))).await;
    assert_eq!(stated, Ok(vec![Some("7.39.0-7802".to_owned())]));
}

#[tokio::test]
async fn more_records_than_are_read_are_a_failure_and_not_fewer() {
    let many = |count: usize| -> Vec<Value> {
        let digest = |nth: usize| Digest::of(nth.to_string().as_bytes()).to_string();
        (0..count)
            .map(|nth| entry(|entry| entry["digest"] = digest(nth).into()))
            .collect()
    };
    for (count, expected) in [(200, Ok(200)), (201, Err(Code::RegistryAnswerInvalid))] {
        let entries = many(count);
        let listed = read(move |_| list(&entries)).await;
        assert_eq!(listed.map(|all| all.len()), expected, "{count}");
        let entries = many(count);
        let under_a_tag = read(move |received| {
            if received.line.contains("/referrers/") {
                return refused(404);
            }
            list(&entries)
        })
        .await;
        assert_eq!(under_a_tag.map(|all| all.len()), expected, "{count}");
    }
}
