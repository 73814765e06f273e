//! Referrers of an image: the registry's list, and the index that stands in for it.

use crate::report::problem::Explain as _;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{INDEX, MANIFEST, Setting, refusal};
use crate::adapters::registry::referrers::Artifact;
use crate::domain::image::manifest::RawManifest;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::tag::Tag;
use crate::report::code::Code;
use crate::test_support::loopback_server::{Received, Reply};

const TYPE: &str = "application/vnd.in-toto+json";

fn index(entries: &[(&str, &str)]) -> Vec<u8> {
    let manifests: Vec<_> = entries
        .iter()
        .map(|(name, kind)| {
            json!({
                "mediaType": MANIFEST,
                "digest": Digest::of(name.as_bytes()).as_str(),
                "size": 1,
                "artifactType": kind,
                "annotations": {"name": name},
            })
        })
        .collect();
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
    index.to_string().into_bytes()
}

fn listed(body: &[u8], headers: &[(&str, &str)]) -> Reply {
    let mut all = vec![("content-type", INDEX)];
    all.extend(headers);
    Reply::new(200, &all, body)
}

async fn names(setting: &Setting) -> Vec<String> {
    let image = Digest::of(b"image");
    let found = setting
        .registry
        .referrers(&setting.repository(), &image, &[TYPE])
        .await
        .expect("a list");
    found
        .into_iter()
        .map(|referrer| referrer.annotations["name"].clone())
        .collect()
}

#[tokio::test]
async fn every_page_is_read_and_what_is_of_another_type_left_out() {
    let setting = Setting::of(|received, _| {
        if received.line.contains("last=1") {
            return listed(&index(&[("c", TYPE)]), &[]);
        }
        let next = format!(
            "<{}&last=1>; rel=\"next\"",
            received.line.trim_start_matches("GET ")
        );
        listed(
            &index(&[("a", TYPE), ("b", "application/x")]),
            &[("link", next.as_str())],
        )
    })
    .await;
    assert_eq!(names(&setting).await, ["a", "c"]);
    let first = &setting.server.lines()[0];
    assert!(
        first.contains("artifactType=application%2Fvnd.in-toto%2Bjson"),
        "{first}"
    );
}

#[tokio::test]
async fn without_the_api_the_index_under_the_tag_counts() {
    for status in [404, 405] {
        let setting = Setting::of(move |received, _| {
            if received.line.contains("/referrers/") {
                return refusal(status, "UNSUPPORTED", "no");
            }
            assert!(
                received.line.contains("/manifests/sha256-"),
                "{}",
                received.line
            );
            listed(&index(&[("a", TYPE)]), &[])
        })
        .await;
        assert_eq!(names(&setting).await, ["a"]);
    }
}

/// Answers of a registry that does not give its list, with the failures that they mean.
const FAILURES: [(u16, Code); 5] = [
    (400, Code::RegistryRequestFailed),
    (403, Code::RegistryDenied),
    (500, Code::RegistryRequestFailed),
    (503, Code::RegistryRequestFailed),
    (RESET, Code::RegistryNotReachable),
];

/// The status that stands for a connection that is closed without an answer.
const RESET: u16 = 0;

#[tokio::test]
async fn a_registry_that_reads_the_tag_as_the_image_has_no_referrers() {
    const IMAGE: &str = r#"{"schemaVersion":2,"config":{"mediaType":"a/b","digest":"sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855","size":0},"layers":[]}"#;
    let setting = Setting::of(|received, _| {
        if received.line.contains("/referrers/") {
            return Reply::new(404, &[], "");
        }
        Reply::new(200, &[("content-type", MANIFEST)], IMAGE)
    })
    .await;
    let image = Digest::of(IMAGE.as_bytes());
    let found = setting
        .registry
        .referrers(&setting.repository(), &image, &[TYPE])
        .await;
    assert_eq!(found.expect("a list").len(), 0);
}

fn failure(status: u16) -> Reply {
    match status {
        RESET => Reply::none(),
        status => refusal(status, "", "no"),
    }
}

async fn list(setting: &Setting) -> Result<usize, Code> {
    let image = Digest::of(b"image");
    let repository = setting.repository();
    let found = setting
        .registry
        .referrers(&repository, &image, &[TYPE])
        .await;
    found.map(|found| found.len()).map_err(|error| error.code())
}

#[tokio::test]
async fn a_list_that_cannot_be_read_is_a_failure_and_no_reason_to_look_elsewhere() {
    for (status, code) in FAILURES {
        let setting = Setting::of(move |_, _| failure(status)).await;
        assert_eq!(list(&setting).await, Err(code), "{status}");
        let lines = setting.server.lines();
        let is_of_list = |line: &String| line.contains("/referrers/");
        assert!(lines.iter().all(is_of_list), "{lines:?}");
    }
}

#[tokio::test]
async fn a_second_page_that_cannot_be_read_is_a_failure() {
    for status in [404, 500] {
        let setting = Setting::of(move |received, _| {
            if received.line.contains("last=1") {
                return failure(status);
            }
            let path = received.line.trim_start_matches("GET ");
            let next = format!("<{path}&last=1>; rel=\"next\"");
            listed(&index(&[("a", TYPE)]), &[("link", next.as_str())])
        })
        .await;
        assert!(list(&setting).await.is_err(), "{status}");
    }
}

#[tokio::test]
async fn an_index_under_the_tag_that_cannot_be_read_is_a_failure() {
    for (status, code) in FAILURES {
        let setting = Setting::of(move |received, _| {
            let is_list = received.line.contains("/referrers/");
            if is_list {
                failure(404)
            } else {
                failure(status)
            }
        })
        .await;
        assert_eq!(list(&setting).await, Err(code), "{status}");
    }
}

#[tokio::test]
async fn a_list_without_an_end_or_with_a_broken_entry_is_a_failure() {
    let endless = Setting::of(|received, count| {
        let path = received.line.trim_start_matches("GET ");
        let path = path.split("&last").next().expect("a path");
        let next = format!("<{path}&last={count}>; rel=\"next\"");
        listed(&index(&[]), &[("link", next.as_str())])
    })
    .await;
    assert_eq!(list(&endless).await, Err(Code::RegistryAnswerInvalid));
    let broken = Setting::of(|_, _| {
        let text = String::from_utf8(index(&[("a", TYPE)])).expect("text");
        listed(text.replace("sha256:", "sha256:x").as_bytes(), &[])
    })
    .await;
    assert_eq!(list(&broken).await, Err(Code::RegistryAnswerInvalid));
}

#[tokio::test]
async fn a_list_that_is_longer_than_is_read_is_a_failure_and_not_a_shorter_one() {
    // Two pages of 3 MiB, and none of their entries is wanted.
    let filled = Setting::of(|received, _| {
        let is_second = received.line.contains("last=1");
        let path = received.line.trim_start_matches("GET ");
        let next = format!("<{path}&last=1>; rel=\"next\"");
        let headers = [("link", next.as_str())];
        let page = index(&[(&"x".repeat(3 * 1024 * 1024), "another")]);
        listed(&page, if is_second { &[] } else { &headers })
    })
    .await;
    assert_eq!(list(&filled).await, Err(Code::RegistryAnswerInvalid));
}

#[tokio::test]
async fn an_image_that_nothing_refers_to_has_no_referrers() {
    let setting = Setting::of(|_, _| refusal(404, "MANIFEST_UNKNOWN", "no")).await;
    assert!(names(&setting).await.is_empty());
}

/// A registry that keeps blobs and manifests, with or without a list of its own.
#[derive(Clone, Default)]
struct Shelf {
    kept: Arc<Mutex<HashMap<String, Vec<u8>>>>,
    has_list: bool,
    loses: bool,
}

impl Shelf {
    fn answer(&self, received: &Received) -> Reply {
        let (method, path) = received.line.split_once(' ').expect("a line");
        let name = path.rsplit('/').next().expect("a name");
        let name = name.split('?').next().expect("a name").to_owned();
        let mut kept = self.kept.lock().expect("no panic");
        match method {
            "POST" => Reply::new(202, &[("location", "/v2/app/web/blobs/uploads/1")], ""),
            "PUT" if path.contains("/uploads/") => Reply::new(201, &[], ""),
            "PUT" => {
                kept.insert(name, received.body.clone());
                let subject = Digest::of(b"image");
                let header = [("oci-subject", subject.as_str())];
                Reply::new(201, if self.has_list { &header } else { &[] }, "")
            }
            "GET" if path.contains("/referrers/") && self.has_list => {
                let entries = kept.values().filter(|_| !self.loses).map(|bytes| {
                    let artifact: serde_json::Value =
                        serde_json::from_slice(bytes).expect("a manifest");
                    json!({
                        "mediaType": MANIFEST,
                        "digest": Digest::of(bytes).as_str(),
                        "size": bytes.len(),
                        "artifactType": artifact["artifactType"],
                        "annotations": artifact["annotations"],
                    })
                });
                let manifests: Vec<_> = entries.collect();
                let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
                listed(index.to_string().as_bytes(), &[])
            }
            _ => match kept.get(&name) {
                Some(bytes) => {
                    let digest = Digest::of(bytes);
                    listed(bytes, &[("docker-content-digest", digest.as_str())])
                }
                None => refusal(404, "MANIFEST_UNKNOWN", "no"),
            },
        }
    }
}

async fn attach(shelf: Shelf, times: usize) -> (Setting, Result<Option<Tag>, Code>) {
    let setting = Setting::of(move |received, _| shelf.answer(received)).await;
    let image = RawManifest {
        media_type: MANIFEST.to_owned(),
        bytes: b"image".to_vec(),
    };
    let mut result = Ok(None);
    for time in 0..times {
        let artifact = Artifact {
            media_type: TYPE,
            content: b"{}",
            annotations: BTreeMap::from([("name".to_owned(), time.to_string())]),
        };
        let repository = setting.repository();
        let attached = setting
            .registry
            .attach(&repository, &image, &artifact)
            .await;
        result = attached
            .map(|attached| attached.list)
            .map_err(|error| error.code());
    }
    (setting, result)
}

#[tokio::test]
async fn an_artifact_refers_to_the_image_and_is_listed_once() {
    let shelf = Shelf {
        has_list: true,
        ..Shelf::default()
    };
    let (setting, result) = attach(shelf.clone(), 1).await;
    assert_eq!(result, Ok(None));
    assert_eq!(names(&setting).await, ["0"]);
    let kept = shelf.kept.lock().expect("no panic");
    assert_eq!(kept.len(), 1, "no index beside the registry's own list");
    let manifest: serde_json::Value =
        serde_json::from_slice(kept.values().next().expect("one")).expect("a manifest");
    assert_eq!(manifest["subject"]["digest"], Digest::of(b"image").as_str());
    assert_eq!(manifest["subject"]["size"], 5);
}

#[tokio::test]
async fn without_a_list_of_its_own_the_registry_gets_one_that_grows() {
    let (setting, result) = attach(Shelf::default(), 2).await;
    let list = Digest::of(b"image").as_str().replace(':', "-");
    assert_eq!(result, Ok(list.parse().ok()));
    assert_eq!(names(&setting).await, ["0", "1"]);
}

#[tokio::test]
async fn an_index_that_cannot_be_read_is_not_written_over() {
    let tag = Digest::of(b"image").as_str().replace(':', "-");
    let former = json!({"schemaVersion": 2, "mediaType": INDEX});
    let shelf = Shelf::default();
    let former = former.to_string().into_bytes();
    shelf
        .kept
        .lock()
        .expect("no panic")
        .insert(tag.clone(), former.clone());
    let (_, result) = attach(shelf.clone(), 1).await;
    assert_eq!(result, Err(Code::RegistryAnswerInvalid));
    let kept = shelf.kept.lock().expect("no panic");
    assert_eq!(kept.get(&tag), Some(&former));
}

#[tokio::test]
async fn what_is_accepted_and_not_listed_is_a_failure() {
    let shelf = Shelf {
        has_list: true,
        loses: true,
        ..Shelf::default()
    };
    let (_, result) = attach(shelf, 1).await;
    assert_eq!(result, Err(Code::RegistryAnswerInvalid));
}
