//! The client against a server that behaves as registries do, and as they should not.

use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::json;

use super::client::Registry;
use super::credentials::cache::Credentials;
use super::credentials::tests::Counting;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::image::manifest::{ManifestReference, RawManifest};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::report::event::Events;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";

const INDEX: &str = "application/vnd.oci.image.index.v1+json";

/// A server, a client for it, and how many passwords the client has fetched.
struct Setting {
    server: LoopbackServer,
    registry: Registry,
    passwords: Counting,
}

impl Setting {
    async fn of(answer: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::with(quick(), answer).await
    }

    async fn with(
        policy: RetryPolicy,
        answer: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let server = LoopbackServer::start(answer).await;
        let passwords = Counting::default();
        let credentials = Credentials::new(passwords.clone(), Events::silent());
        let registry = Registry::with_policy(credentials, policy).expect("a client");
        Self {
            server,
            registry,
            passwords,
        }
    }

    fn repository(&self) -> Repository {
        Repository {
            registry: self.server.host(),
            name: "app/web".to_owned(),
        }
    }

    fn passwords(&self) -> usize {
        self.passwords.0.load(Ordering::SeqCst)
    }
}

/// The usual policy with waits that a test can wait for.
fn quick() -> RetryPolicy {
    RetryPolicy {
        first_wait: Duration::from_millis(1),
        longest_wait: Duration::from_millis(4),
        longest_retry_after: Duration::from_millis(300),
        ..RetryPolicy::default()
    }
}

fn tag() -> Tag {
    "1.4".parse().expect("a tag")
}

fn by_tag() -> ManifestReference {
    ManifestReference::Tag(tag())
}

fn refusal(status: u16, code: &str, message: &str) -> Reply {
    let body = json!({"errors": [{"code": code, "message": message}]});
    Reply::new(
        status,
        &[("content-type", "application/json")],
        body.to_string(),
    )
}

fn manifest_reply(bytes: &[u8]) -> Reply {
    let digest = Digest::of(bytes);
    let headers = [
        ("content-type", MANIFEST),
        ("docker-content-digest", digest.as_str()),
    ];
    Reply::new(200, &headers, bytes)
}

const CONFIG: &str = r#"{"os":"linux","architecture":"arm64","future":{"kept":true}}"#;

fn manifest() -> RawManifest {
    let config = Digest::of(CONFIG.as_bytes());
    let layer = Digest::of(b"layer");
    let json = json!({
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": "application/vnd.docker.container.image.v1+json", "digest": config.as_str(), "size": CONFIG.len()},
        "layers": [{"mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip", "digest": layer.as_str(), "size": 5}],
    });
    RawManifest {
        media_type: MANIFEST.to_owned(),
        bytes: json.to_string().into_bytes(),
    }
}

/// A registry with one image.
fn serve_image(received: &Received) -> Reply {
    if received.line.contains("/blobs/") {
        Reply::new(200, &[], CONFIG)
    } else {
        manifest_reply(&manifest().bytes)
    }
}

mod copying;
mod faults;
mod hidden_challenges;
mod layers;
mod listing;
mod platforms;
mod reading;
mod referrers;
mod signing_in;
mod token_answers;
mod token_registry;
mod tokens;
mod trying_again;
mod uploading;
mod writing;
