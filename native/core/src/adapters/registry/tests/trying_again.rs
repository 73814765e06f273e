use std::time::{Duration, Instant};

use super::{Setting, by_tag, manifest, quick, refusal, serve_image};
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::test_support::loopback_server::Reply;

/// Checks that the image is found in the end, and after how many requests for the manifest.
async fn check(first: impl Fn() -> Reply + Send + Sync + 'static, until: usize, requests: usize) {
    let setting = Setting::of(move |received, earlier| {
        if earlier < until {
            first()
        } else {
            serve_image(received)
        }
    })
    .await;
    let result = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    assert_eq!(result.is_ok(), until < requests, "{result:?}");
    let lines = setting.server.lines();
    let seen = lines
        .iter()
        .filter(|line| line.contains("/manifests/"))
        .count();
    assert_eq!(seen, requests, "{lines:?}");
}

#[tokio::test]
async fn passing_troubles_are_tried_again() {
    check(|| refusal(429, "TOOMANYREQUESTS", "Rate exceeded"), 2, 3).await;
    check(|| Reply::new(503, &[], ""), 4, 5).await;
    check(|| Reply::new(408, &[], ""), 1, 2).await;
    check(Reply::none, 1, 2).await;
    check(
        || Reply::claiming(1000, 200, &[], &manifest().bytes[..9]),
        1,
        2,
    )
    .await;
}

#[tokio::test]
async fn five_tries_are_enough() {
    check(|| Reply::new(500, &[], ""), 99, 5).await;
    check(Reply::none, 99, 5).await;
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    check(|| refusal(400, "MANIFEST_INVALID", "no"), 1, 1).await;
    check(|| refusal(404, "MANIFEST_UNKNOWN", "no"), 1, 1).await;
    check(|| refusal(403, "DENIED", "no"), 1, 1).await;
}

#[tokio::test]
async fn a_registry_can_say_when_but_not_for_ever() {
    let started = Instant::now();
    check(|| Reply::new(429, &[("retry-after", "86400")], ""), 1, 2).await;
    let took = started.elapsed();
    assert!(
        took >= Duration::from_millis(300) && took < Duration::from_secs(10),
        "{took:?}"
    );
}

#[tokio::test]
async fn nobody_listening_is_not_reachable() {
    let setting = Setting::of(|_, _| Reply::none()).await;
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let registry = listener.local_addr().expect("an address").to_string();
    drop(listener);
    let repository = Repository {
        registry: registry.clone(),
        name: "app/web".to_owned(),
    };
    let error = setting
        .registry
        .resolve(&repository, &by_tag(), &Platform::linux_arm64())
        .await;
    let error = error.expect_err("a failure");
    assert_eq!(error.code(), Code::RegistryNotReachable);
    let problem = Problem::from(error);
    assert_eq!(
        problem.what,
        format!("Cannot read `{registry}/app/web:1.4`: the registry does not answer")
    );
}

async fn problem(policy: RetryPolicy, reply: fn() -> Reply) -> (Problem, usize) {
    let setting = Setting::with(policy, move |_, _| reply()).await;
    let repository = setting.repository();
    let result = setting
        .registry
        .resolve(&repository, &by_tag(), &Platform::linux_arm64())
        .await;
    let problem = Problem::from(result.expect_err("a failure"));
    (problem, setting.server.received().len())
}

#[tokio::test]
async fn an_answer_that_never_comes_is_waited_for_only_so_long() {
    let policy = RetryPolicy {
        request: Duration::from_millis(50),
        tries: 2,
        ..quick()
    };
    let (problem, requests) = problem(policy, Reply::never).await;
    assert_eq!(problem.code, Code::RegistryNotReachable);
    assert_eq!(requests, 2);
}

#[tokio::test]
async fn all_tries_together_take_only_so_long() {
    let policy = RetryPolicy {
        budget: Duration::from_millis(400),
        ..quick()
    };
    let started = Instant::now();
    let (_, requests) = problem(policy, Reply::never).await;
    assert_eq!(requests, 1);
    assert!(started.elapsed() < Duration::from_secs(10));

    // A wait that does not fit in is not begun.
    let busy = || Reply::new(503, &[("retry-after", "60")], "");
    let policy = RetryPolicy {
        longest_retry_after: Duration::from_mins(1),
        ..policy
    };
    let started = Instant::now();
    let (problem, requests) = problem(policy, busy).await;
    assert_eq!((problem.code, requests), (Code::RegistryRequestFailed, 1));
    assert!(started.elapsed() < Duration::from_secs(10));
}
