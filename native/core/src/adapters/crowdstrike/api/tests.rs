use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::FalconApi;
use crate::adapters::crowdstrike::error::FalconError;
use crate::adapters::crowdstrike::session::Session;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::falcon::api_settings::FalconApiSettings;
use crate::domain::falcon::region::Region;
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::report::problem::{Explain as _, Problem};
use crate::report::secret::Secret;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

mod faults;

const ID: &str = "0123456789ABCDEF0123456789ABCDEF-12";

/// A client of one server, which stands for every cloud: the cloud is the first part of the path.
fn client(server: &LoopbackServer, region: Option<Region>, events: Events) -> Arc<FalconApi> {
    let settings = FalconApiSettings {
        client_id: "client".to_owned(),
        client_secret: Secret::new("s&cret"),
        region,
        api_url: None,
        registry: Some(server.host()),
    };
    let policy = RetryPolicy {
        first_wait: Duration::from_millis(1),
        ..RetryPolicy::default()
    };
    Arc::new(FalconApi {
        policy,
        // A test's own host travels in the field that is not used otherwise here.
        address: |settings, region| {
            let host = settings.registry.as_deref()?;
            format!("http://{host}/{}", region.name()).parse().ok()
        },
        ..FalconApi::new(settings, events).expect("a client")
    })
}

fn token(region: &str) -> Reply {
    Reply::new(
        201,
        &[("X-Cs-Region", region)],
        r#"{"access_token":"tok","expires_in":1799}"#,
    )
}

/// Signs in where an answer does not matter to the test.
fn answer(received: &Received) -> Reply {
    if received.line.contains("/oauth2/token") {
        token("us-1")
    } else if received.line.contains("/ccid/") {
        Reply::new(200, &[], format!(r#"{{"resources":["{ID}"]}}"#))
    } else {
        Reply::new(200, &[], r#"{"resources":[{"token":"registry-password"}]}"#)
    }
}

#[tokio::test]
async fn three_calls_lead_to_a_sign_in_and_every_secret_is_masked_first() {
    let server = LoopbackServer::start(|received, _| answer(received)).await;
    let masked = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&masked);
    let events = Events::new(move |event| {
        if let Event::Secret(secret) = event {
            heard
                .lock()
                .expect("no panic")
                .push(secret.reveal().to_owned());
        }
    });
    let api = client(&server, None, events);
    let session = Session::open(api.clone()).await.expect("a session");
    let id = session.customer_id().await.expect("an ID");
    let sign_in = session.registry_login(&id).await.expect("a sign-in");
    assert_eq!(id.reveal(), ID);
    assert_eq!(
        sign_in.user.as_deref(),
        Some("fc-0123456789abcdef0123456789abcdef")
    );
    assert_eq!(sign_in.password.reveal(), "registry-password");
    assert_eq!(
        server.lines(),
        [
            "POST /us-1/oauth2/token",
            "GET /us-1/sensors/queries/installers/ccid/v1",
            "GET /us-1/container-security/entities/image-registry-credentials/v1",
        ]
    );
    let received = server.received();
    assert_eq!(
        String::from_utf8_lossy(&received[0].body),
        "client_id=client&client_secret=s%26cret"
    );
    assert_eq!(received[0].header("authorization"), None);
    assert_eq!(received[1].header("authorization"), Some("Bearer tok"));
    let lower = "0123456789abcdef0123456789abcdef";
    let masked = masked.lock().expect("no panic");
    for secret in ["tok", "registry-password", ID, lower] {
        assert!(masked.iter().any(|known| known == secret), "{secret}");
    }
}

#[tokio::test]
async fn the_cloud_that_an_answer_names_is_signed_in_to() {
    let server = LoopbackServer::start(|_, _| token("eu-1")).await;
    let api = client(&server, None, Events::silent());
    let session = Session::open(api.clone()).await.expect("a session");
    assert_eq!(session.region, Region::Eu1);
    assert_eq!(
        server.lines(),
        ["POST /us-1/oauth2/token", "POST /eu-1/oauth2/token"]
    );
}

#[tokio::test]
async fn a_redirect_to_another_cloud_is_followed_by_its_name_and_not_by_its_address() {
    let server = LoopbackServer::start(|received, _| {
        if received.line.contains("/us-1/") {
            let headers = [
                ("X-Cs-Region", "us-2"),
                ("location", "https://evil.example/"),
            ];
            Reply::new(308, &headers, "")
        } else {
            token("us-2")
        }
    })
    .await;
    let api = client(&server, None, Events::silent());
    assert_eq!(
        Session::open(api.clone()).await.expect("a session").region,
        Region::Us2
    );
}

async fn refusal(
    region: Option<Region>,
    answer: impl Fn(&Received) -> Reply + Send + Sync + 'static,
) -> (FalconError, usize) {
    let server = LoopbackServer::start(move |received, _| answer(received)).await;
    let api = client(&server, region, Events::silent());
    let error = Session::open(api.clone()).await.expect_err("a failure");
    (error, server.received().len())
}

#[tokio::test]
async fn a_cloud_outside_the_table_or_other_than_the_given_one_is_a_mismatch() {
    for (given, named, words) in [
        (Some(Region::Us1), "eu-1", "`falconRegion: eu-1`"),
        (None, "evil.example", "`falconApiUrl`"),
    ] {
        let (error, requests) = refusal(given, move |_| token(named)).await;
        let problem = Problem::from(error);
        assert_eq!(problem.code, Code::FalconRegionMismatch);
        assert!(
            problem.hint.as_deref().unwrap_or_default().contains(words),
            "{problem:?}"
        );
        assert_eq!(requests, 1);
    }
}

#[tokio::test]
async fn a_refused_sign_in_is_never_tried_again() {
    let denied = r#"{"errors":[{"code":403,"message":"access denied, authorization failed"}]}"#;
    let locked = r#"{"errors":[{"code":403,"message":"account locked out"}]}"#;
    for (status, body, code) in [
        (400, denied, Code::FalconClientRefused),
        (401, denied, Code::FalconClientRefused),
        (403, denied, Code::FalconClientRefused),
        (403, locked, Code::FalconLockedOut),
        (429, denied, Code::FalconLockedOut),
    ] {
        let (error, requests) = refusal(None, move |_| Reply::new(status, &[], body)).await;
        assert_eq!(error.code(), code, "{status} {error:?}");
        assert_eq!(requests, 1, "{status}");
        assert!(Problem::from(error).hint.is_some());
    }
}

#[tokio::test]
async fn only_passing_troubles_are_tried_again() {
    let server = LoopbackServer::start(|received, earlier| match earlier {
        0 => Reply::none(),
        1 => Reply::new(503, &[], ""),
        _ => answer(received),
    })
    .await;
    let api = client(&server, None, Events::silent());
    assert!(Session::open(api.clone()).await.is_ok());
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let server = LoopbackServer::start(|received, _| {
        if received.line.contains("/oauth2/") {
            return token("us-1");
        }
        let body = r#"{"errors":[{"code":403,"message":"access denied, scope not permitted"}]}"#;
        Reply::new(403, &[], body)
    })
    .await;
    let api = client(&server, None, Events::silent());
    let session = Session::open(api.clone()).await.expect("a session");
    let id = ID.parse().expect("an ID");
    for (error, scope) in [
        (
            session.customer_id().await.expect_err("a failure"),
            "Sensor Download: Read",
        ),
        (
            session.registry_login(&id).await.expect_err("a failure"),
            "Falcon Images Download: Read",
        ),
    ] {
        assert_eq!(error.code(), Code::FalconScopeMissing);
        assert!(error.to_string().contains(scope), "{error}");
    }
    assert_eq!(server.received().len(), 3);
}

#[tokio::test]
async fn an_answer_without_what_was_asked_is_a_failure_that_repeats_none_of_it() {
    for body in [
        r#"{"resources":[]}"#,
        r#"{"resources":["top-secret"]}"#,
        "top-secret",
    ] {
        let server = LoopbackServer::start(move |received, _| {
            if received.line.contains("/oauth2/") {
                return token("us-1");
            }
            Reply::new(200, &[], body)
        })
        .await;
        let api = client(&server, None, Events::silent());
        let session = Session::open(api.clone()).await.expect("a session");
        let problem = Problem::from(session.customer_id().await.expect_err("a failure"));
        assert_eq!(problem.code, Code::FalconAnswerInvalid);
        assert!(
            !format!("{problem:?}").contains("top-secret"),
            "{problem:?}"
        );
    }
}
