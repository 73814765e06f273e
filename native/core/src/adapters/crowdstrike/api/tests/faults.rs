//! Every fault of CrowdStrike's API on every kind of request to it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use strum::VariantArray as _;

use super::{ID, answer, client, token};
use crate::adapters::crowdstrike::api::FalconApi;
use crate::adapters::crowdstrike::error::FalconError;
use crate::adapters::crowdstrike::request_kind::FalconRequest;
use crate::adapters::crowdstrike::session::Session;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::falcon::region::Region;
use crate::report::event::Events;
use crate::report::problem::Problem;
use crate::test_support::fault::{Fault, Peer, Rule};
use crate::test_support::fault_table::{Cell, Played, check};
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

/// Requests of one kind that are sent before a failure is given up on.
const TRIES: usize = 5;

/// Cells that are played at the same time.
const AT_ONCE: usize = 16;

/// Name of a request on the page.
fn name(kind: FalconRequest) -> &'static str {
    match kind {
        FalconRequest::SignIn => "sign-in",
        FalconRequest::CustomerId => "customer ID",
        FalconRequest::RegistryPassword => "registry password",
    }
}

fn kind(received: &Received) -> FalconRequest {
    if received.line.contains("/oauth2/token") {
        FalconRequest::SignIn
    } else if received.line.contains("/ccid/") {
        FalconRequest::CustomerId
    } else {
        FalconRequest::RegistryPassword
    }
}

/// Rule of a cell: that of its fault, unless the request has a reason for another.
fn rule(kind: FalconRequest, fault: Fault) -> Rule {
    match fault {
        // Too many sign-ins lock a client out.
        Fault::TooMany | Fault::TooManyWithWait if kind == FalconRequest::SignIn => Rule::Final,
        // The same holds for one that is refused, and a secret goes to this host alone.
        Fault::Redirect => Rule::Final,
        _ if fault.rule() == Rule::Renewed => Rule::Final,
        _ => fault.rule(),
    }
}

/// The faulty answer.
fn fault(kind: FalconRequest, fault: Fault, elsewhere: &str, received: &Received) -> Reply {
    let refusal = |status: u16, message: &str| {
        let body = format!(r#"{{"errors":[{{"code":{status},"message":"{message}"}}]}}"#);
        Reply::new(status, &[("content-type", "application/json")], body)
    };
    let there = format!("http://{elsewhere}/");
    match fault {
        Fault::Unauthorized => refusal(401, "access denied, invalid bearer token"),
        Fault::Denied => refusal(403, "access denied, authorization failed"),
        Fault::Expired => refusal(403, "access denied, token expired"),
        Fault::NotFound => Reply::new(404, &[], ""),
        Fault::NotFoundByName => refusal(404, "404: Page Not Found"),
        Fault::TooMany => refusal(429, "API rate limit exceeded."),
        Fault::Broken => refusal(500, "Internal Server Error: please provide trace-id"),
        Fault::Unavailable => Reply::new(503, &[], ""),
        Fault::OtherContent => Reply::new(200, &[], r#"{"resources":[{"other":true}]}"#),
        Fault::Oversized => Reply::new(200, &[], vec![b' '; 2 << 20]),
        Fault::Redirect => Reply::new(307, &[("location", &there)], ""),
        on_the_line => {
            let good = || match kind {
                FalconRequest::SignIn => token("us-1"),
                _ => answer(received),
            };
            on_the_line
                .on_the_line(good)
                .expect("an answer to each fault")
        }
    }
}

/// All three requests, one after another.
async fn drive(api: Arc<FalconApi>) -> Result<(), FalconError> {
    let session = Session::open(api).await?;
    let id = session.customer_id().await?;
    let login = session.registry_login(&id).await?;
    assert_eq!(
        (id.reveal(), login.password.reveal()),
        (ID, "registry-password")
    );
    Ok(())
}

/// Plays a fault on the first requests of a kind.
async fn play(wanted: FalconRequest, played: Fault, times: usize) -> Played {
    let elsewhere = LoopbackServer::start(|_, _| Reply::new(200, &[], "{}")).await;
    let (delivered, other) = (Arc::new(AtomicUsize::new(0)), elsewhere.host());
    let counted = Arc::clone(&delivered);
    let server = LoopbackServer::start(move |received, _| {
        let kind = kind(received);
        if kind != wanted || counted.load(Ordering::SeqCst) >= times {
            return answer(received);
        }
        counted.fetch_add(1, Ordering::SeqCst);
        fault(kind, played, &other, received)
    })
    .await;
    let mut api = client(&server, Some(Region::Us1), Events::silent());
    let settings = Arc::get_mut(&mut api).expect("one owner");
    settings.policy = RetryPolicy {
        longest_wait: Duration::from_millis(4),
        longest_retry_after: Duration::from_millis(20),
        request: Duration::from_millis(if played.takes_time() { 1000 } else { 10_000 }),
        ..settings.policy
    };
    let ended = drive(api).await;
    let cell = format!("{wanted:?} × {played:?} × {times}");
    let delivered = delivered.load(Ordering::SeqCst);
    assert!(delivered > 0, "{cell}: the fault was not delivered");
    assert!(
        elsewhere.received().is_empty(),
        "{cell}: a redirect was followed"
    );
    let failure = ended.err().map(|error| {
        let problem = Problem::from(error);
        let clean = |text: &String| text.replace(&server.host(), "API");
        Problem {
            what: clean(&problem.what),
            why: problem.why.iter().map(clean).collect(),
            ..problem
        }
    });
    if let Some(problem) = &failure {
        let shown = format!("{problem:?}");
        let is_leak = ["s&cret", "registry-password", ID, "tok\""];
        assert!(
            !is_leak.iter().any(|secret| shown.contains(secret)),
            "{cell}: {shown}"
        );
    }
    Played {
        failure,
        delivered,
        left: Vec::new(),
    }
}

#[tokio::test]
async fn each_fault_of_each_request_ends_as_the_page_says() {
    let cells = Fault::of(Peer::Falcon).flat_map(|fault| {
        FalconRequest::VARIANTS
            .iter()
            .map(move |kind| (*kind, fault))
    });
    let played = stream::iter(cells).map(|(kind, fault)| async move {
        let cell = Cell {
            fault,
            request: name(kind),
            once: play(kind, fault, 1).await,
            always: play(kind, fault, usize::MAX).await,
        };
        (cell, rule(kind, fault))
    });
    let cells = played.buffered(AT_ONCE).collect().await;
    check("crowdstrike", cells, TRIES);
}
