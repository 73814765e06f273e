//! Every fault of a registry on every kind of request to it. `docs/faults.md` shows the results.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use strum::VariantArray as _;

use super::token_registry::{Holding, password};
use super::{CONFIG, manifest, quick};
use crate::adapters::http::client::RequestKind as _;
use crate::adapters::http::retry::RetryPolicy;
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::Credentials;
use crate::adapters::registry::credentials::tests::Counting;
use crate::adapters::registry::request_kind::RegistryRequest;
use crate::domain::reference::digest::Digest;
use crate::domain::registry_login::RegistryLogin;
use crate::report::event::Events;
use crate::report::problem::Problem;
use crate::report::secret::Secret;
use crate::test_support::fault::{Fault, Peer};
use crate::test_support::fault_table::{Cell, Played, check};
use drive::{NEW, drive};
use expected::rule;
use stand_in::{Door, Kept, Plan, SOURCE, StandIn, TARGET};

mod drive;
mod expected;
mod stand_in;

/// Requests of one kind that are sent before a failure is given up on.
const TRIES: usize = 5;

/// Cells that are played at the same time: most of them wait.
const AT_ONCE: usize = 24;

/// Clients by their login; they are cheap to clone and dear to make.
struct Clients {
    password: [Registry; 2],
    token: [Registry; 2],
    identity: [Registry; 2],
}

impl Clients {
    fn new() -> Self {
        let holding = |login| Credentials::new(Holding(Some(login)), Events::silent());
        let identity = RegistryLogin::identity_token(Secret::new("hunter2"));
        Self {
            password: both(|| Credentials::new(Counting::default(), Events::silent())),
            token: both(|| holding(password())),
            identity: both(|| holding(identity.clone())),
        }
    }

    fn of(&self, plan: Plan) -> &Registry {
        let clients = match plan.door {
            Door::Password => &self.password,
            Door::Token if plan.kind == RegistryRequest::TokenByForm => &self.identity,
            Door::Token | Door::Hidden => &self.token,
        };
        &clients[usize::from(plan.fault.takes_time())]
    }
}

/// A client with the usual time limits, and one with those that a test can wait for.
fn both(credentials: impl Fn() -> Credentials) -> [Registry; 2] {
    let policy = RetryPolicy {
        longest_retry_after: Duration::from_millis(20),
        ..quick()
    };
    let hasty = RetryPolicy {
        request: Duration::from_secs(1),
        transfer: Duration::from_secs(1),
        ..policy
    };
    [policy, hasty].map(|policy| Registry::with_policy(credentials(), policy).expect("a client"))
}

/// Name of a request on the page.
fn name(kind: RegistryRequest) -> &'static str {
    match kind {
        RegistryRequest::Ping => "ping",
        RegistryRequest::Challenge => "challenge",
        RegistryRequest::Token => "token",
        RegistryRequest::TokenByForm => "token by form",
        RegistryRequest::TagDigest => "HEAD tag",
        RegistryRequest::Manifest => "GET manifest",
        RegistryRequest::SmallBlob => "GET configuration",
        RegistryRequest::BlobStream => "GET layer",
        RegistryRequest::BlobCheck => "HEAD blob of an artifact",
        RegistryRequest::BlobPresence => "HEAD blob",
        RegistryRequest::UploadStart => "POST upload",
        RegistryRequest::Mount => "POST mount",
        RegistryRequest::BlobUpload => "PUT blob",
        RegistryRequest::ManifestPut => "PUT manifest",
        RegistryRequest::TagPut => "PUT tag",
        RegistryRequest::Tags => "list tags",
        RegistryRequest::Referrers => "list referrers",
    }
}

fn door(kind: RegistryRequest) -> Door {
    match kind {
        RegistryRequest::Challenge => Door::Hidden,
        RegistryRequest::Token | RegistryRequest::TokenByForm => Door::Token,
        _ => Door::Password,
    }
}

/// Plays a fault on the first requests of a kind.
async fn play(clients: &Clients, kind: RegistryRequest, fault: Fault, times: usize) -> Played {
    let plan = Plan {
        kind,
        fault,
        times,
        door: door(kind),
    };
    let at = StandIn::start(plan).await;
    let before = at.kept();
    let ended = drive(kind, clients.of(plan), &at).await;
    let after = at.kept();
    let delivered = at.delivered();
    let cell = format!("{kind:?} × {fault:?} × {times}");
    assert!(delivered > 0, "{cell}: the fault was not delivered");
    for received in at.elsewhere().received() {
        assert_eq!(received.header("authorization"), None, "{cell}");
    }
    assert_kept(&before, &after, &cell);
    let failure = ended.err().map(|problem| cleaned(problem, &at));
    if let Some(problem) = &failure {
        let shown = format!("{problem:?}");
        assert!(
            !shown.contains("hunter2") && !shown.contains("password-"),
            "{cell}: {shown}"
        );
    }
    Played {
        left: if failure.is_some() {
            left(&before, &after)
        } else {
            Vec::new()
        },
        failure,
        delivered,
    }
}

/// Whatever was there is there still.
fn assert_kept(before: &Kept, after: &Kept, cell: &str) {
    let tags = before
        .tags
        .iter()
        .all(|(tag, digest)| after.tags.get(tag) == Some(digest));
    let manifests = before
        .manifests
        .keys()
        .all(|key| after.manifests.contains_key(key));
    let blobs = before.blobs.keys().all(|key| after.blobs.contains_key(key));
    assert!(tags && manifests && blobs, "{cell}: something was changed");
    let foreign = after.tags.keys().filter(|(name, _)| name != TARGET);
    assert_eq!(
        foreign.count(),
        1,
        "{cell}: another repository has a new tag"
    );
}

/// Names of the things that a failed use has left.
fn left(before: &Kept, after: &Kept) -> Vec<&'static str> {
    let counts = [
        ("a tag", before.tags.len(), after.tags.len()),
        ("a manifest", before.manifests.len(), after.manifests.len()),
        ("blobs", before.blobs.len(), after.blobs.len()),
        ("an open upload", before.uploads.len(), after.uploads.len()),
    ];
    let more = counts
        .into_iter()
        .filter(|(_, before, after)| after > before);
    more.map(|(what, ..)| what).collect()
}

/// A problem with names instead of ports and digests.
fn cleaned(problem: Problem, at: &StandIn) -> Problem {
    let digest = manifest().digest();
    let digests = [Digest::of(b"layer"), Digest::of(CONFIG.as_bytes()), digest];
    let mut names: Vec<(String, &str)> = Vec::new();
    for repository in [at.repository(SOURCE), at.repository(TARGET)] {
        let images = digests.iter().map(|digest| repository.at(digest));
        names.extend(images.map(|image| (image, "IMAGE")));
        names.push((format!("{repository}:{NEW}"), "IMAGE"));
        names.push((format!("`{repository}`"), "`REPOSITORY`"));
        names.push((format!("`{}`", repository.name), "`REPOSITORY`"));
    }
    names.extend(digests.map(|digest| (digest.to_string(), "DIGEST")));
    names.push((at.host(), "REGISTRY"));
    names.push(("127.0.0.1".to_owned(), "ISSUER"));
    let clean = |text: &String| {
        let names = names.iter();
        let text = names.fold(text.clone(), |text, (name, shown)| {
            text.replace(name, shown)
        });
        let known = text
            .split_whitespace()
            .map(|word| match word.strip_prefix("sha256:") {
                Some(rest) if rest.ends_with(',') => "ANOTHER,",
                Some(_) => "ANOTHER",
                None => word,
            });
        known.collect::<Vec<_>>().join(" ")
    };
    Problem {
        what: clean(&problem.what),
        why: problem.why.iter().map(clean).collect(),
        ..problem
    }
}

#[tokio::test]
async fn each_fault_of_each_request_ends_as_the_page_says() {
    let clients = Arc::new(Clients::new());
    let cells = Fault::of(Peer::Registry).flat_map(|fault| {
        let kinds = RegistryRequest::VARIANTS.iter().copied();
        let kinds = kinds.filter(move |kind| kind.method() != "HEAD" || !fault.is_of_body());
        kinds.map(move |kind| (kind, fault))
    });
    let played = stream::iter(cells).map(|(kind, fault)| {
        let clients = Arc::clone(&clients);
        async move {
            let once = play(&clients, kind, fault, 1).await;
            let always = play(&clients, kind, fault, usize::MAX).await;
            let cell = Cell {
                fault,
                request: name(kind),
                once,
                always,
            };
            (cell, rule(kind, fault))
        }
    });
    let cells = played.buffered(AT_ONCE).collect().await;
    check("registry", cells, TRIES);
}
