use super::{Setting, by_tag, manifest, manifest_reply, refusal, serve_image, tag};
use crate::adapters::registry::credentials::tests::password;
use crate::domain::platform::Platform;
use crate::report::code::Code;
use crate::report::problem::Explain as _;
use crate::test_support::loopback_server::{LoopbackServer, Reply};

fn basic(nth: usize) -> String {
    format!("Basic {}", password(nth).basic().expect("a user").reveal())
}

#[tokio::test]
async fn one_password_serves_all_requests() {
    let setting = Setting::of(|received, _| serve_image(received)).await;
    let repository = setting.repository();
    let reference = by_tag();
    let arm64 = Platform::linux_arm64();
    let (a, b) = tokio::join!(
        setting.registry.resolve(&repository, &reference, &arm64),
        setting.registry.resolve(&repository, &reference, &arm64),
    );
    assert!(a.is_ok() && b.is_ok());
    assert_eq!(setting.passwords(), 1);
    for received in setting.server.received() {
        assert_eq!(received.header("authorization"), Some(basic(1).as_str()));
    }
}

#[tokio::test]
async fn an_old_password_is_renewed_and_the_request_sent_again() {
    for answer in [
        || {
            refusal(
                403,
                "DENIED",
                "Your authorization token has expired. Reauthenticate and try again.",
            )
        },
        || {
            Reply::new(
                403,
                &[("content-type", "text/plain")],
                "Your Authorization Token has expired.",
            )
        },
        || Reply::new(401, &[], "Not Authorized"),
    ] {
        let setting = Setting::of(move |received, _| {
            if received.header("authorization") == Some(basic(1).as_str()) {
                answer()
            } else {
                serve_image(received)
            }
        })
        .await;
        let result = setting
            .registry
            .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
            .await;
        assert!(result.is_ok(), "{result:?}");
        assert_eq!(setting.passwords(), 2);
    }
}

#[tokio::test]
async fn an_old_password_is_renewed_when_only_a_head_was_asked() {
    let setting = Setting::of(|received, _| {
        if received.header("authorization") == Some(basic(1).as_str()) {
            refusal(403, "DENIED", "Your authorization token has expired.")
        } else {
            manifest_reply(&manifest().bytes)
        }
    })
    .await;
    let found = setting
        .registry
        .digest_of(&setting.repository(), &tag())
        .await;
    assert_eq!(found, Ok(Some(manifest().digest())));
}

#[tokio::test]
async fn a_password_is_renewed_only_once() {
    let setting = Setting::of(|_, _| refusal(401, "UNAUTHORIZED", "no")).await;
    let result = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    assert_eq!(result.expect_err("a failure").code(), Code::RegistryDenied);
    assert_eq!(setting.passwords(), 2);
    assert_eq!(setting.server.received().len(), 2);
}

#[tokio::test]
async fn no_password_follows_a_redirect_to_another_host() {
    let blobs = LoopbackServer::start(|received, _| serve_image(received)).await;
    let elsewhere = format!(
        "http://{}/v2/x/blobs/signed?X-Amz-Signature=1",
        blobs.host()
    );
    let setting = Setting::of(move |received, _| {
        if received.line.contains("/blobs/") {
            Reply::new(307, &[("location", &elsewhere)], "")
        } else {
            serve_image(received)
        }
    })
    .await;
    let result = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    assert!(result.is_ok(), "{result:?}");
    let asked = blobs.received();
    assert_eq!(asked.len(), 1);
    assert_eq!(asked[0].header("authorization"), None);
    assert_eq!(asked[0].header("referer"), None);
    let with_password =
        |r: &crate::test_support::loopback_server::Received| r.header("authorization").is_some();
    assert!(setting.server.received().iter().all(with_password));
}

#[tokio::test]
async fn a_redirect_leads_neither_off_this_machine_without_tls_nor_in_circles() {
    for location in ["http://registry.example/", "/v2/again", "ftp://127.0.0.1/"] {
        let setting = Setting::of(move |_, _| Reply::new(302, &[("location", location)], "")).await;
        let result = setting
            .registry
            .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
            .await;
        let error = result.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryAnswerInvalid, "{error:?}");
        assert!(setting.server.received().len() <= 6);
    }
}
