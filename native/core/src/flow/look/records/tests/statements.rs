use serde_json::{Value, json};

use super::lookup;
use crate::domain::image::manifest::{OCI_INDEX, OCI_MANIFEST};
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::record::STATEMENT_TYPE;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
use crate::test_support::loopback_server::Reply;

/// The run that a registry's only record of an image names; `content` answers for the record's statement.
async fn run_of_record(
    content: impl Fn() -> Reply + Send + Sync + 'static,
    statement: &Value,
) -> Result<Vec<Option<String>>, Code> {
    let artifact = json!({
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}").as_str(), "size": 2},
        "layers": [{
            "mediaType": STATEMENT_TYPE,
            "digest": Digest::of(statement.to_string().as_bytes()).as_str(),
            "size": statement.to_string().len(),
        }],
    });
    let artifact = artifact.to_string();
    let digest = |text: &[u8]| Digest::of(text).to_string();
    let entry = json!({
        "mediaType": OCI_MANIFEST,
        "digest": digest(artifact.as_bytes()),
        "size": artifact.len(),
        "artifactType": STATEMENT_TYPE,
        "annotations": {
            "falcon-patch.schema": "1",
            "falcon-patch.sensor": digest(b"sensor"),
            "falcon-patch.options": digest(b"options"),
        },
    });
    let entries = [entry];
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    let registry = LoopbackRegistry::start(move |received| {
        if received.line.contains("/referrers/") {
            Reply::new(200, &[("content-type", OCI_INDEX)], index.to_string())
        } else if received.line.contains("/manifests/") {
            Reply::new(200, &[("content-type", OCI_MANIFEST)], &artifact)
        } else {
            content()
        }
    })
    .await;
    let image = Digest::of(b"image");
    let lookup = lookup(&registry, &image, &Trust::Anyone);
    let read = lookup.records().await.map(|known| known.believed);
    let runs = read.map(|all| all.into_iter().map(|record| record.told.run).collect());
    runs.map_err(|problem| problem.code)
}

/// A statement of a run about an image.
fn statement(image: &[u8]) -> Value {
    let digest = Digest::of(image);
    let (algorithm, hex) = digest.as_str().split_once(':').expect("a digest");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {algorithm: hex}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:falcon-arm64-patch:patch:v1",
                "externalParameters": {},
                "internalParameters": {"options": "none"},
                "resolvedDependencies": [],
            },
            "runDetails": {"metadata": {"invocationId": "run 1"}},
        },
    })
}

#[tokio::test]
async fn a_record_is_read_with_its_statement() {
    let good = statement(b"image");
    let text = good.to_string();
    let read = run_of_record(move || Reply::new(200, &[], &text), &good).await;
    assert_eq!(read, Ok(vec![Some("run 1".to_owned())]));
}

#[tokio::test]
async fn a_statement_that_cannot_be_read_is_a_problem() {
    let good = statement(b"image");
    for (status, code) in [
        (403, Code::RegistryDenied),
        (404, Code::RegistryImageNotFound),
        (500, Code::RegistryRequestFailed),
    ] {
        let read = run_of_record(move || refused(status), &good).await;
        assert_eq!(read, Err(code), "{status}");
    }
    let reset = run_of_record(Reply::none, &good).await;
    assert_eq!(reset, Err(Code::RegistryNotReachable));
}

#[tokio::test]
async fn a_statement_about_something_else_is_a_problem() {
    for other in [statement(b"another"), json!({}), json!([])] {
        let text = other.to_string();
        let read = run_of_record(move || Reply::new(200, &[], &text), &other).await;
        assert_eq!(read, Err(Code::RegistryAnswerInvalid), "{other}");
    }
}

#[tokio::test]
async fn a_statement_that_is_longer_than_one_can_be_is_a_problem() {
    for (bytes, is_read) in [(40_000, true), (70_000, false)] {
        let mut long = statement(b"image");
        long["predicate"]["filling"] = "x".repeat(bytes).into();
        let text = long.to_string();
        let read = run_of_record(move || Reply::new(200, &[], &text), &long).await;
        assert_eq!(read.is_ok(), is_read, "{read:?}");
        let code = read.err();
        assert!(code.is_none() || code == Some(Code::RegistryAnswerInvalid));
    }
}

#[tokio::test]
async fn a_long_text_of_a_statement_is_cut() {
    let mut long = statement(b"image");
    long["predicate"]["runDetails"]["metadata"]["invocationId"] = "x\n".repeat(9000).into();
    let text = long.to_string();
    let read = run_of_record(move || Reply::new(200, &[], &text), &long).await;
    let run = read.expect("readable").remove(0).expect("a run");
    assert!(run.len() < 2000 && !run.contains('\n'), "{}", run.len());
}
