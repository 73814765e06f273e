use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::lookup;
use crate::domain::image::manifest::{OCI_INDEX, OCI_MANIFEST};
use crate::domain::provenance::bundle::BUNDLE_TYPE;
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::provenance::record::Provenance;
use crate::domain::provenance::signed_record::Record;
use crate::domain::reference::digest::Digest;
use crate::flow::facts::fact::Fact;
use crate::report::code::Code;
use crate::test_support::loopback_registry::{LoopbackRegistry, refused};
use crate::test_support::loopback_server::Reply;
use crate::test_support::signing_key::TestKey;

/// A repository with artifacts beside the image.
#[derive(Default)]
struct Shelf {
    entries: Vec<Value>,
    contents: HashMap<String, String>,
}

impl Shelf {
    /// A shelf with one signed record of the image.
    fn with_record(key: &TestKey, version: &str) -> Self {
        let mut shelf = Self::default();
        let bundle = key.bundle(&statement(b"image", version));
        shelf.add(BUNDLE_TYPE, BUNDLE_TYPE, &bundle);
        shelf
    }

    /// Adds an artifact with one layer, in the order of the list.
    fn add(&mut self, entry_type: &str, layer_type: &str, content: &str) {
        let blob = Digest::of(content.as_bytes());
        let manifest = json!({
            "schemaVersion": 2, "mediaType": OCI_MANIFEST,
            "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": Digest::of(b"{}").as_str(), "size": 2},
            "layers": [{"mediaType": layer_type, "digest": blob.as_str(), "size": content.len()}],
            "annotations": {"nth": self.entries.len()},
        })
        .to_string();
        self.list(entry_type, &Digest::of(manifest.as_bytes()), &manifest);
        self.contents.insert(blob.to_string(), content.to_owned());
    }

    fn list(&mut self, entry_type: &str, digest: &Digest, manifest: &str) {
        self.contents
            .insert(digest.to_string(), manifest.to_owned());
        self.entries.push(json!({
            "mediaType": OCI_MANIFEST, "digest": digest.as_str(), "size": manifest.len(), "artifactType": entry_type,
        }));
    }
}

fn statement(image: &[u8], version: &str) -> String {
    let hex = |bytes: &[u8]| Digest::of(bytes).as_str().replace("sha256:", "");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": hex(image)}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:falcon-arm64-patch:patch:v1",
                "externalParameters": {"sensorVersion": version},
                "internalParameters": {"options": Digest::of(b"options").as_str()},
                "resolvedDependencies": [{"name": "sensor", "digest": {"sha256": hex(b"sensor")}}],
            },
            "runDetails": {"metadata": {}},
        },
    })
    .to_string()
}

struct Read {
    known: Fact<KnownRecords<Provenance>>,
    requests: usize,
}

/// Reads the records of an image where `answer` may replace an answer for a path.
async fn read(
    shelf: Shelf,
    keys: &[&TestKey],
    answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> Read {
    let requests = Arc::new(AtomicUsize::new(0));
    let registry = serve(shelf, requests.clone(), answer).await;
    let keys = keys.iter().map(|key| key.trusted("alias/x")).collect();
    let image = Digest::of(b"image");
    let trust = Trust::Keys(keys);
    let lookup = lookup(&registry, &image, &trust);
    let known = lookup.provenance().await;
    Read {
        known,
        requests: requests.load(Ordering::SeqCst),
    }
}

/// The records as a run without keys sees them: their annotations, and their content.
async fn read_without_keys(
    shelf: Shelf,
) -> (Fact<KnownRecords<Provenance>>, Fact<KnownRecords<Record>>) {
    let registry = serve(shelf, Arc::default(), |_| None).await;
    let image = Digest::of(b"image");
    let lookup = lookup(&registry, &image, &Trust::Anyone);
    (lookup.provenance().await, lookup.records().await)
}

/// A registry with a shelf, that counts its requests.
async fn serve(
    shelf: Shelf,
    counted: Arc<AtomicUsize>,
    answer: impl Fn(&str) -> Option<Reply> + Send + Sync + 'static,
) -> LoopbackRegistry {
    let shelf = Mutex::new(shelf);
    LoopbackRegistry::start(move |received| {
        counted.fetch_add(1, Ordering::SeqCst);
        if let Some(reply) = answer(&received.line) {
            return reply;
        }
        let shelf = shelf.lock().expect("a shelf");
        if received.line.contains("/referrers/") {
            let index =
                json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": shelf.entries});
            return Reply::new(200, &[("content-type", OCI_INDEX)], index.to_string());
        }
        let found = shelf
            .contents
            .iter()
            .find(|(digest, _)| received.line.contains(digest.as_str()));
        match found {
            Some((_, content)) => {
                Reply::new(200, &[("content-type", OCI_MANIFEST)], content.clone())
            }
            None => refused(404),
        }
    })
    .await
}

fn versions(known: &KnownRecords<Provenance>) -> Vec<&str> {
    let records = known.believed.iter();
    records
        .filter_map(|record| record.sensor_version.as_deref())
        .collect()
}

#[tokio::test]
async fn only_records_of_a_trusted_key_count_and_the_others_are_named() {
    let (key, other) = (TestKey::new(), TestKey::new());
    let mut shelf = Shelf::default();
    shelf.add(
        BUNDLE_TYPE,
        BUNDLE_TYPE,
        &other.bundle(&statement(b"image", "1")),
    );
    shelf.add(
        BUNDLE_TYPE,
        BUNDLE_TYPE,
        &key.bundle(&statement(b"another", "2")),
    );
    shelf.add(
        BUNDLE_TYPE,
        BUNDLE_TYPE,
        &key.bundle(&statement(b"image", "3")),
    );
    // As cosign lists its own bundles where the registry has no list.
    let empty = "application/vnd.oci.empty.v1+json";
    shelf.add(empty, BUNDLE_TYPE, &key.bundle(&statement(b"image", "4")));
    shelf.add(empty, "application/x", "another tool's");
    shelf.add(
        "application/vnd.cncf.notary.signature",
        "application/x",
        "a signature",
    );
    shelf.add(BUNDLE_TYPE, BUNDLE_TYPE, &" ".repeat(70_000));
    shelf.add(BUNDLE_TYPE, BUNDLE_TYPE, "no bundle");
    shelf.list(
        BUNDLE_TYPE,
        &Digest::of(b"gone"),
        "a manifest with another digest",
    );
    let read = read(shelf, &[&key], |_| None).await;
    let known = read.known.expect("readable");
    assert_eq!(versions(&known), ["3", "4"]);
    assert!(
        known
            .believed
            .iter()
            .all(|record| record.signer.as_deref() == Some("alias/x"))
    );
    let ignored: Vec<String> = known.ignored.iter().map(ToString::to_string).collect();
    assert_eq!(ignored.len(), 5, "{ignored:?}");
    for (text, expected) in ignored.iter().zip([
        "no trusted key",
        "is about",
        "70000 bytes",
        "not a bundle",
        "",
    ]) {
        assert!(text.contains(expected), "{expected}: {text}");
    }
    // Other tools attach bundles of the same type, and so only a lie about the image is suspicious.
    let suspicious = known.ignored.iter().filter(|one| one.is_suspicious());
    assert_eq!(suspicious.count(), 1);
    // The list, two for each bundle, and one for each that its manifest rules out: too long, another type, not there.
    assert_eq!(read.requests, 1 + 2 * 5 + 3);
}

#[tokio::test]
async fn an_unsigned_record_is_named_and_not_read() {
    let key = TestKey::new();
    let mut shelf = Shelf::default();
    shelf.add(
        "application/vnd.in-toto+json",
        "application/vnd.in-toto+json",
        &statement(b"image", "1"),
    );
    shelf.entries[0]["annotations"] = json!({"falcon-patch.schema": "1"});
    shelf.add(
        "application/vnd.in-toto+json",
        "application/vnd.in-toto+json",
        "another tool's",
    );
    let read = read(shelf, &[&key], |_| None).await;
    let known = read.known.expect("readable");
    assert_eq!(
        (known.believed.len(), known.ignored.len(), read.requests),
        (0, 1, 1)
    );
    assert!(known.ignored[0].to_string().ends_with("it is not signed"));
}

#[tokio::test]
async fn an_entry_that_cannot_be_read_hides_no_record() {
    let key = TestKey::new();
    let mut shelf = Shelf::with_record(&key, "1");
    let good = shelf.entries[0].clone();
    for (field, value) in [
        ("digest", json!(format!("sha512:{}", "a".repeat(128)))),
        ("digest", json!(7)),
        ("annotations", json!({"a": 1})),
    ] {
        let mut entry = good.clone();
        entry[field] = value;
        shelf.entries.insert(0, entry);
    }
    let read = read(shelf, &[&key], |_| None).await;
    let known = read.known.expect("readable");
    assert_eq!((versions(&known), known.unread), (vec!["1"], 3));
}

#[tokio::test]
async fn without_keys_a_signed_record_counts_as_one_that_is_not_signed() {
    let key = TestKey::new();
    let mut shelf = Shelf::with_record(&key, "7.38.0");
    let digest = |bytes: &[u8]| Digest::of(bytes).to_string();
    shelf.entries[0]["annotations"] = json!({
        "falcon-patch.schema": "1", "falcon-patch.sensor": digest(b"sensor"),
        "falcon-patch.options": digest(b"options"), "falcon-patch.sensor-version": "7.38.0",
    });
    let (known, records) = read_without_keys(shelf).await;
    assert_eq!(versions(&known.expect("readable")), ["7.38.0"]);
    let records = records.expect("readable").believed;
    assert_eq!(records.len(), 1);
    assert_eq!(records[0].provenance.signer, None);
}

#[tokio::test]
async fn an_annotation_leaves_no_bundle_out() {
    let key = TestKey::new();
    let mut shelf = Shelf::with_record(&key, "1");
    shelf.entries[0]["annotations"] = json!({
        "falcon-patch.schema": "99", "falcon-patch.sensor-version": "9",
        "dev.sigstore.bundle.predicateType": "https://spdx.dev/Document",
    });
    let read = read(shelf, &[&key], |_| None).await;
    assert_eq!(versions(&read.known.expect("readable")), ["1"]);
}

#[tokio::test]
async fn so_many_bundles_are_read_and_ours_first() {
    let key = TestKey::new();
    let mut shelf = Shelf::default();
    for nth in 0..60 {
        shelf.add(BUNDLE_TYPE, BUNDLE_TYPE, &format!("junk {nth}"));
    }
    shelf.add(
        BUNDLE_TYPE,
        BUNDLE_TYPE,
        &key.bundle(&statement(b"image", "1")),
    );
    shelf.entries[60]["annotations"] = json!({"falcon-patch.schema": "1"});
    let read = read(shelf, &[&key], |_| None).await;
    let known = read.known.expect("readable");
    assert_eq!(versions(&known), ["1"]);
    assert_eq!((known.ignored.len(), known.unread), (49, 11));
}

#[tokio::test]
async fn a_registry_in_trouble_is_a_failure_and_not_a_record_less() {
    for (status, code) in [
        (403, Code::RegistryDenied),
        (500, Code::RegistryRequestFailed),
    ] {
        for part in ["/referrers/", "/manifests/", "/blobs/"] {
            let key = TestKey::new();
            let mut shelf = Shelf::default();
            shelf.add(
                BUNDLE_TYPE,
                BUNDLE_TYPE,
                &key.bundle(&statement(b"image", "1")),
            );
            let answer = move |line: &str| line.contains(part).then(|| refused(status));
            let read = read(shelf, &[&key], answer).await;
            let problem = read.known.expect_err("trouble");
            assert_eq!(problem.code, code, "{status} {part}");
        }
    }
}
