use std::sync::atomic::{AtomicBool, Ordering};

use super::{MANIFEST, Setting, manifest, manifest_reply, refusal, tag};
use crate::adapters::registry::error::RegistryError;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

const IMMUTABLE: &str = "The image tag '1.4' already exists in the 'app/web' repository and cannot be overwritten because the tag is immutable.";

fn is_put(received: &Received) -> bool {
    received.line.starts_with("PUT ")
}

async fn put(setting: &Setting) -> Result<(), RegistryError> {
    let repository = setting.repository();
    setting
        .registry
        .put_manifest(&repository, &tag(), &manifest())
        .await
}

#[tokio::test]
async fn a_pushed_manifest_is_sent_as_it_is_and_looked_up() {
    let setting = Setting::of(|received, _| {
        if is_put(received) {
            Reply::new(201, &[], "")
        } else {
            manifest_reply(&manifest().bytes)
        }
    })
    .await;
    assert_eq!(put(&setting).await, Ok(()));
    let received = setting.server.received();
    assert_eq!(received[0].body, manifest().bytes);
    assert_eq!(received[0].header("content-type"), Some(MANIFEST));
    assert_eq!(
        setting.server.lines(),
        [
            "PUT /v2/app/web/manifests/1.4",
            "HEAD /v2/app/web/manifests/1.4"
        ]
    );
}

#[tokio::test]
async fn what_is_written_goes_to_no_other_host() {
    for status in [301, 302, 307, 308] {
        let elsewhere = LoopbackServer::start(|_, _| Reply::new(201, &[], "")).await;
        let location = format!("http://{}/v2/app/web/manifests/1.4", elsewhere.host());
        let setting = Setting::of(move |received, _| {
            if received.line.starts_with("HEAD ") {
                refusal(404, "UNKNOWN", "no")
            } else {
                Reply::new(status, &[("location", &location)], "")
            }
        })
        .await;
        assert!(put(&setting).await.is_err(), "PUT, {status}");
        let to = setting.repository();
        let uploaded = setting.registry.put_bytes(&to, MANIFEST, b"{}").await;
        assert!(uploaded.is_err(), "POST, {status}");
        assert!(elsewhere.received().is_empty(), "{status}");
    }
}

#[tokio::test]
async fn an_immutable_tag_of_the_same_image_is_a_success() {
    let setting = Setting::of(|received, _| {
        if is_put(received) {
            refusal(400, "TAG_INVALID", IMMUTABLE)
        } else {
            manifest_reply(&manifest().bytes)
        }
    })
    .await;
    assert_eq!(put(&setting).await, Ok(()));
}

#[tokio::test]
async fn an_immutable_tag_of_another_image_is_a_failure() {
    let setting = Setting::of(|received, _| {
        if is_put(received) {
            refusal(400, "TAG_INVALID", IMMUTABLE)
        } else {
            manifest_reply(br#"{"schemaVersion":2,"config":{},"layers":[]}"#)
        }
    })
    .await;
    let error = put(&setting).await.expect_err("a failure");
    assert!(
        matches!(
            error,
            RegistryError::TagImmutable {
                existing: Some(_),
                ..
            }
        ),
        "{error:?}"
    );
    let problem = Problem::from(error);
    assert_eq!(problem.code, Code::EcrTagImmutable);
    assert!(
        problem.why[0].contains("cannot be overwritten"),
        "{problem:?}"
    );
}

#[tokio::test]
async fn a_push_whose_answer_got_lost_is_a_success() {
    let pushed = AtomicBool::new(false);
    let setting = Setting::of(move |received, _| match is_put(received) {
        true if pushed.swap(true, Ordering::SeqCst) => refusal(400, "TAG_INVALID", IMMUTABLE),
        true => Reply::none(),
        false => manifest_reply(&manifest().bytes),
    })
    .await;
    assert_eq!(put(&setting).await, Ok(()));
}

#[tokio::test]
async fn a_tag_that_names_something_else_after_the_push_is_a_failure() {
    let setting = Setting::of(|received, _| {
        if is_put(received) {
            Reply::new(201, &[], "")
        } else {
            manifest_reply(br#"{"schemaVersion":2,"config":{},"layers":[]}"#)
        }
    })
    .await;
    let error = put(&setting).await.expect_err("a failure");
    assert_eq!(error.code(), Code::RegistryAnswerInvalid);
}

#[tokio::test]
async fn an_invalid_tag_is_no_immutable_one() {
    let setting = Setting::of(|_, _| refusal(400, "TAG_INVALID", "no tag")).await;
    let error = put(&setting).await.expect_err("a failure");
    assert_eq!(error.code(), Code::RegistryRequestFailed);
}
