//! Images from one registry to another.

use crate::report::problem::Explain as _;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::{CONFIG, INDEX, MANIFEST, Setting, manifest, quick, refusal, tag};
use crate::adapters::registry::error::RegistryError;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::code::Code;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

/// A registry that keeps what is pushed, with one upload session for each PUT.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<HashMap<String, Vec<u8>>>>);

impl Shelf {
    fn answer(&self, received: &Received) -> Reply {
        let mut kept = self.0.lock().expect("no panic");
        let (method, path) = received.line.split_once(' ').expect("a line");
        match method {
            "POST" => {
                let session = kept.keys().filter(|key| key.starts_with("session")).count();
                let place = format!("/v2/mirror/blobs/uploads/{session}?state=x");
                kept.insert(format!("session{session}"), Vec::new());
                Reply::new(202, &[("location", &place)], "")
            }
            "PUT" if path.contains("/uploads/") => {
                let digest = path.split("digest=").nth(1).expect("a digest");
                let digest = digest.replace("%3A", ":");
                assert_eq!(Digest::of(&received.body).as_str(), digest);
                kept.insert(digest, received.body.clone());
                Reply::new(201, &[], "")
            }
            "PUT" => {
                let name = path.rsplit('/').next().expect("a name").to_owned();
                kept.insert(
                    Digest::of(&received.body).to_string(),
                    received.body.clone(),
                );
                kept.insert(name, received.body.clone());
                Reply::new(201, &[], "")
            }
            _ => {
                let name = path.rsplit('/').next().expect("a name");
                let Some(bytes) = kept.get(name) else {
                    return refusal(404, "UNKNOWN", "no");
                };
                let digest = Digest::of(bytes);
                let media_type = if bytes.starts_with(b"{\"manifests\"") {
                    INDEX
                } else {
                    MANIFEST
                };
                let headers = [
                    ("content-type", media_type),
                    ("docker-content-digest", digest.as_str()),
                ];
                Reply::new(200, &headers, bytes)
            }
        }
    }

    fn has(&self, name: &str) -> bool {
        self.0.lock().expect("no panic").contains_key(name)
    }
}

fn index() -> Vec<u8> {
    let child = manifest();
    let entry = json!({"mediaType": MANIFEST, "digest": child.digest().as_str(), "size": child.bytes.len(), "platform": {"os": "linux", "architecture": "arm64"}});
    json!({"manifests": [entry], "mediaType": INDEX, "schemaVersion": 2})
        .to_string()
        .into_bytes()
}

/// CrowdStrike's registry with an index of one image; `layer` is what it answers for its one layer.
fn upstream(received: &Received, layer: &[u8]) -> Reply {
    let line = &received.line;
    if line.contains(Digest::of(&index()).as_str()) {
        return Reply::new(200, &[("content-type", INDEX)], index());
    }
    if line.contains("/manifests/") {
        return Reply::new(200, &[("content-type", MANIFEST)], manifest().bytes);
    }
    let is_config = line.contains(Digest::of(CONFIG.as_bytes()).as_str());
    Reply::new(200, &[], if is_config { CONFIG.as_bytes() } else { layer })
}

struct Copy {
    result: Result<(), RegistryError>,
    pushed: LoopbackServer,
}

/// Copies the index from a server with `layer` to one that answers as `mirror` says.
async fn copy(
    layer: &'static [u8],
    mirror: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
) -> Copy {
    let setting = Setting::with(quick(), move |received, _| upstream(received, layer)).await;
    let pushed = LoopbackServer::start(mirror).await;
    let to = Repository::new(&pushed.host(), "mirror");
    let digest = Digest::of(&index());
    let result = setting
        .registry
        .copy(&setting.repository(), &digest, &to, &tag(), &|_, _| ())
        .await;
    Copy { result, pushed }
}

#[tokio::test]
async fn an_index_is_copied_blobs_first_children_next_and_the_tag_last() {
    let shelf = Shelf::default();
    let keep = shelf.clone();
    let Copy { result, pushed } = copy(b"layer", move |received, _| keep.answer(received)).await;
    assert_eq!(result, Ok(()));
    let child = manifest().digest();
    for name in [
        "1.4",
        child.as_str(),
        Digest::of(b"layer").as_str(),
        Digest::of(&index()).as_str(),
    ] {
        assert!(shelf.has(name), "{name}");
    }
    let lines = pushed.lines();
    let posts = lines
        .iter()
        .filter(|line| line.starts_with("POST "))
        .count();
    let puts: Vec<&String> = lines
        .iter()
        .filter(|line| line.starts_with("PUT "))
        .collect();
    assert_eq!((posts, puts.len()), (2, 4), "{lines:#?}");
    assert!(!lines.iter().any(|line| line.starts_with("PATCH ")));
    assert_eq!(puts[2], &format!("PUT /v2/mirror/manifests/{child}"));
    assert_eq!(puts[3], "PUT /v2/mirror/manifests/1.4");
    let upload = pushed
        .received()
        .into_iter()
        .find(|r| r.line.contains("/uploads/0?state=x&digest="));
    let upload = upload.expect("an upload");
    assert!(upload.header("transfer-encoding").is_none());
    assert!(upload.header("authorization").is_some());
}

#[tokio::test]
async fn what_is_there_is_not_uploaded_again() {
    let shelf = Shelf::default();
    for bytes in [b"layer".as_slice(), CONFIG.as_bytes()] {
        let mut known = shelf.0.lock().expect("no panic");
        known.insert(Digest::of(bytes).to_string(), bytes.to_vec());
    }
    let Copy { result, pushed } = copy(b"layer", move |received, _| shelf.answer(received)).await;
    assert_eq!(result, Ok(()));
    assert!(!pushed.lines().iter().any(|line| line.starts_with("POST ")));
}

#[tokio::test]
async fn every_try_of_an_upload_has_a_session_of_its_own() {
    let shelf = Shelf::default();
    let failed = Mutex::new(false);
    let Copy { result, pushed } = copy(b"layer", move |received, _| {
        let is_upload = received.line.starts_with("PUT ") && received.line.contains("/uploads/");
        let mut failed = failed.lock().expect("no panic");
        if is_upload && !*failed {
            *failed = true;
            return Reply::new(500, &[], "");
        }
        shelf.answer(received)
    })
    .await;
    assert_eq!(result, Ok(()));
    let lines = pushed.lines();
    let mut sessions: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.strip_prefix("PUT /v2/mirror/blobs/uploads/"))
        .filter_map(|rest| rest.split('?').next())
        .collect();
    sessions.sort_unstable();
    assert_eq!(sessions, ["0", "1", "2"], "{lines:#?}");
}

#[tokio::test]
async fn a_layer_that_is_not_what_its_digest_says_is_never_stored() {
    let shelf = Shelf::default();
    let keep = shelf.clone();
    let Copy { result, .. } = copy(b"LAYER", move |received, _| keep.answer(received)).await;
    let error = result.expect_err("a failure");
    assert_eq!(error.code(), Code::RegistryAnswerInvalid, "{error:?}");
    assert!(!shelf.has("1.4") && !shelf.has(Digest::of(b"LAYER").as_str()));
}

#[tokio::test]
async fn an_upload_may_go_to_another_host_but_not_our_password_with_it() {
    let shelf = Shelf::default();
    let (near, far) = (shelf.clone(), shelf);
    let elsewhere = LoopbackServer::start(move |received, _| far.answer(received)).await;
    let host = elsewhere.host();
    let Copy { result, .. } = copy(b"layer", move |received, _| {
        if received.line.starts_with("POST ") {
            let place = format!("http://{host}/v2/mirror/blobs/uploads/0?state=x");
            return Reply::new(202, &[("location", &place)], "");
        }
        near.answer(received)
    })
    .await;
    assert_eq!(result, Ok(()));
    let uploads = elsewhere.received();
    assert_eq!(uploads.len(), 2);
    assert!(
        uploads
            .iter()
            .all(|upload| upload.header("authorization").is_none())
    );
}

#[tokio::test]
async fn a_place_without_tls_is_uploaded_nothing_to() {
    let Copy { result, .. } = copy(b"layer", |received, _| match received.line.as_str() {
        line if line.starts_with("POST ") => {
            Reply::new(202, &[("location", "http://store.example/1")], "")
        }
        _ => refusal(404, "UNKNOWN", "no"),
    })
    .await;
    let error = result.expect_err("a failure");
    assert_eq!(error.code(), Code::RegistryAnswerInvalid, "{error:?}");
}

#[tokio::test]
async fn within_one_registry_a_blob_is_mounted_or_else_uploaded() {
    for mounts in [true, false] {
        let shelf = Shelf::default();
        let setting = Setting::of(move |received, _| {
            let line = &received.line;
            if !line.contains("/mirror/") {
                return upstream(received, b"layer");
            }
            if line.contains("mount=") && mounts {
                return Reply::new(201, &[("location", "/x")], "");
            }
            shelf.answer(received)
        })
        .await;
        let to = Repository::new(&setting.server.host(), "mirror");
        let digest = Digest::of(&index());
        let from = setting.repository();
        let copied = setting
            .registry
            .copy(&from, &digest, &to, &tag(), &|_, _| ())
            .await;
        assert_eq!(copied, Ok(()));
        let lines = setting.server.lines();
        let layer = Digest::of(b"layer").to_string().replace(':', "%3A");
        let mount = format!("POST /v2/mirror/blobs/uploads/?mount={layer}&from=app%2Fweb");
        assert!(lines.contains(&mount), "{lines:#?}");
        let uploads = lines
            .iter()
            .filter(|line| line.starts_with("PUT /v2/mirror/blobs/"))
            .count();
        assert_eq!(uploads, if mounts { 0 } else { 2 });
    }
}
