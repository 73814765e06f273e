//! A registry that keeps what is pushed to it, and answers one kind of request with a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde_json::json;

use super::super::{CONFIG, MANIFEST, manifest, refusal};
use crate::adapters::http::client::RequestKind as _;
use crate::adapters::registry::request_kind::RegistryRequest;
use crate::domain::image::manifest::OCI_INDEX;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::test_support::fault::Fault;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

/// The repository that is read, and the one that is pushed to.
pub(super) const SOURCE: &str = "app/source";
pub(super) const TARGET: &str = "app/web";

/// The tag that is there from the beginning.
pub(super) const TAG: &str = "1.4";

/// Challenge of the registry to a request without a login.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// As ECR: any password opens it.
    Password,
    /// A token opens it, and the challenge names its issuer.
    Token,
    /// The same, and only `/v2/` has the challenge.
    Hidden,
}

/// Requests that get the fault.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) kind: RegistryRequest,
    pub(super) fault: Fault,
    /// Number of requests that get it.
    pub(super) times: usize,
    pub(super) door: Door,
}

/// Everything that the registry keeps: by repository, and by digest, tag or number.
#[derive(Clone, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) manifests: BTreeMap<(String, String), Vec<u8>>,
    pub(super) tags: BTreeMap<(String, String), String>,
    pub(super) blobs: BTreeMap<(String, String), Vec<u8>>,
    /// Uploads that were begun and not ended.
    pub(super) uploads: BTreeSet<(String, String)>,
    begun: usize,
    delivered: usize,
}

pub(super) struct StandIn {
    server: LoopbackServer,
    /// Host to which answers lead away.
    elsewhere: LoopbackServer,
    kept: Arc<Mutex<Kept>>,
}

fn locked(kept: &Mutex<Kept>) -> MutexGuard<'_, Kept> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

impl StandIn {
    pub(super) async fn start(plan: Plan) -> Self {
        let kept = Arc::new(Mutex::new(Kept::with_an_image()));
        let copy = Arc::clone(&kept);
        let elsewhere = LoopbackServer::start(move |received, _| locked(&copy).answer(received));
        let elsewhere = elsewhere.await;
        let (copy, other) = (Arc::clone(&kept), elsewhere.host());
        let server = LoopbackServer::start(move |received, _| {
            let mut kept = locked(&copy);
            // A request that is not let in did not get as far as the fault, unless that is about the challenge.
            let challenge = closed(plan, received);
            if plan.kind != RegistryRequest::Challenge
                && let Some(challenge) = challenge
            {
                return challenge;
            }
            if is(plan.kind, received) && kept.delivered < plan.times {
                kept.delivered += 1;
                return fault(plan, &other, received, &mut kept);
            }
            closed(plan, received).unwrap_or_else(|| kept.answer(received))
        });
        Self {
            server: server.await,
            elsewhere,
            kept,
        }
    }

    pub(super) fn repository(&self, name: &str) -> Repository {
        Repository {
            registry: self.server.host(),
            name: name.to_owned(),
        }
    }

    pub(super) fn host(&self) -> String {
        self.server.host()
    }

    pub(super) fn elsewhere(&self) -> &LoopbackServer {
        &self.elsewhere
    }

    pub(super) fn kept(&self) -> Kept {
        locked(&self.kept).clone()
    }

    pub(super) fn delivered(&self) -> usize {
        locked(&self.kept).delivered
    }
}

/// The answer to a request that does not show what it must.
fn closed(plan: Plan, received: &Received) -> Option<Reply> {
    let host = received.header("host").unwrap_or_default();
    let shown = received.header("authorization").unwrap_or_default();
    if plan.door == Door::Password || received.line.contains(" /token") || !shown.is_empty() {
        return None;
    }
    if plan.door == Door::Hidden && received.line != "GET /v2/" {
        return Some(Reply::new(404, &[], ""));
    }
    let challenge = format!("Bearer realm=\"http://{host}/token\",service=\"reg\"");
    Some(Reply::new(401, &[("www-authenticate", &challenge)], ""))
}

/// Returns true if a request is of a kind.
fn is(kind: RegistryRequest, received: &Received) -> bool {
    let Some((method, path)) = received.line.split_once(' ') else {
        return false;
    };
    let parts: Vec<&str> = path.split('/').collect();
    let place = parts.get(parts.len().wrapping_sub(2)).copied();
    let is_digest = path.contains("/manifests/sha256:");
    method == kind.method().as_str()
        && match kind {
            RegistryRequest::Ping | RegistryRequest::Challenge => path == "/v2/",
            RegistryRequest::Token | RegistryRequest::TokenByForm => path.starts_with("/token"),
            RegistryRequest::TagDigest | RegistryRequest::Manifest => place == Some("manifests"),
            RegistryRequest::ManifestPut => is_digest,
            RegistryRequest::TagPut => place == Some("manifests") && !is_digest,
            RegistryRequest::SmallBlob
            | RegistryRequest::BlobStream
            | RegistryRequest::BlobCheck
            | RegistryRequest::BlobPresence => place == Some("blobs"),
            RegistryRequest::UploadStart => place == Some("uploads") && !path.contains("mount="),
            RegistryRequest::Mount => place == Some("uploads") && path.contains("mount="),
            RegistryRequest::BlobUpload => place == Some("uploads"),
            RegistryRequest::Tags => path.contains("/tags/list"),
            RegistryRequest::Referrers => place == Some("referrers"),
        }
}

/// The faulty answer.
fn fault(plan: Plan, elsewhere: &str, received: &Received, kept: &mut Kept) -> Reply {
    let path = received.line.split_once(' ').map_or("", |(_, path)| path);
    let there = format!("http://{elsewhere}{path}");
    let basic = [("www-authenticate", "Basic realm=\"reg\"")];
    let upload = format!("http://{elsewhere}/v2/{TARGET}/blobs/uploads/9");
    match plan.fault {
        Fault::Unauthorized => Reply::new(401, &basic, ""),
        Fault::Denied => refusal(403, "DENIED", "requested access to the resource is denied"),
        Fault::Expired => refusal(403, "DENIED", "Your authorization token has expired."),
        Fault::NotFound => Reply::new(404, &[], ""),
        Fault::NotFoundByName => refusal(404, "NAME_UNKNOWN", "The repository does not exist"),
        Fault::RangeRefused => refusal(416, "BLOB_UPLOAD_INVALID", "bad range"),
        Fault::TagKept => {
            let why = "The image tag already exists and cannot be overwritten because the tag is immutable.";
            refusal(400, "TAG_INVALID", why)
        }
        Fault::TooMany => refusal(429, "TOOMANYREQUESTS", "Rate exceeded"),
        Fault::Broken => refusal(500, "UNKNOWN", "unknown error"),
        Fault::Unavailable => Reply::new(503, &[], ""),
        // A registry that does not mount begins an upload.
        Fault::Accepted if plan.kind == RegistryRequest::Mount => {
            kept.begin_upload("/v2/app/web/blobs/uploads/")
        }
        Fault::OtherContent => {
            let digest = Digest::of(b"another");
            Reply::new(
                200,
                &[("docker-content-digest", digest.as_str())],
                r#"{"other":true}"#,
            )
        }
        Fault::Oversized => Reply::new(200, &[("content-type", MANIFEST)], vec![b' '; 5 << 20]),
        Fault::Redirect => Reply::new(307, &[("location", &there)], ""),
        Fault::Location => Reply::new(202, &[("location", &upload)], ""),
        Fault::Realm => {
            let challenge = "Bearer realm=\"http://tokens.example/token\",service=\"reg\"";
            Reply::new(401, &[("www-authenticate", challenge)], "")
        }
        on_the_line => {
            let reply = on_the_line
                .on_the_line(|| closed(plan, received).unwrap_or_else(|| kept.answer(received)));
            reply.expect("an answer to each fault")
        }
    }
}

impl Kept {
    fn with_an_image() -> Self {
        let mut kept = Self::default();
        for (name, bytes) in [(SOURCE, manifest().bytes), (TARGET, b"another".to_vec())] {
            let key = |text: &str| (name.to_owned(), text.to_owned());
            let digest = Digest::of(&bytes).to_string();
            kept.manifests.insert(key(&digest), bytes);
            kept.tags.insert(key(TAG), digest);
        }
        for blob in [CONFIG.as_bytes(), b"layer"] {
            let key = (SOURCE.to_owned(), Digest::of(blob).to_string());
            kept.blobs.insert(key, blob.to_vec());
        }
        kept
    }

    /// The good answer; what it asks for is done.
    fn answer(&mut self, received: &Received) -> Reply {
        let (method, path) = received.line.split_once(' ').expect("a line");
        let json = [("content-type", "application/json")];
        if path == "/v2/" {
            return Reply::new(200, &[], "{}");
        }
        if path.starts_with("/token") {
            return Reply::new(200, &json, r#"{"token":"t"}"#);
        }
        let path = path.strip_prefix("/v2/").unwrap_or_default();
        let mut parts = path.splitn(3, '/');
        let name = format!(
            "{}/{}",
            parts.next().unwrap_or(""),
            parts.next().unwrap_or("")
        );
        let rest = parts.next().unwrap_or_default();
        let key = |text: &str| (name.clone(), text.to_owned());
        match (method, rest.split_once('/')) {
            ("GET", Some(("tags", _))) => {
                let tags = self.tags.keys().filter(|(of, _)| *of == name);
                let tags: Vec<&str> = tags.map(|(_, tag)| tag.as_str()).collect();
                Reply::new(200, &json, json!({ "tags": tags }).to_string())
            }
            ("GET", Some(("referrers", _))) => {
                let list = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": []});
                Reply::new(200, &[("content-type", OCI_INDEX)], list.to_string())
            }
            ("PUT", Some(("manifests", reference))) => {
                self.put_manifest(&name, reference, received)
            }
            ("GET" | "HEAD", Some(("manifests", reference))) => {
                let digest = self.tags.get(&key(reference));
                let digest = digest.map_or(reference, String::as_str);
                match self.manifests.get(&key(digest)) {
                    Some(bytes) => found(method, MANIFEST, bytes),
                    None => refusal(404, "MANIFEST_UNKNOWN", "no such manifest"),
                }
            }
            ("POST", Some(("blobs", _))) => self.start_upload(path),
            ("PUT", Some(("blobs", upload))) => {
                let (place, digest) = upload.rsplit_once("?digest=").expect("a digest");
                self.uploads.remove(&key(place));
                let digest = digest.replace("%3A", ":");
                if digest != Digest::of(&received.body).as_str() {
                    return refusal(400, "DIGEST_INVALID", "the digest does not fit");
                }
                self.blobs.insert(key(&digest), received.body.clone());
                Reply::new(201, &[], "")
            }
            (_, Some(("blobs", digest))) => match self.blobs.get(&key(digest)) {
                Some(bytes) => found(method, "application/octet-stream", bytes),
                None => refusal(404, "BLOB_UNKNOWN", "no such blob"),
            },
            _ => refusal(404, "UNSUPPORTED", "no such path"),
        }
    }

    fn start_upload(&mut self, path: &str) -> Reply {
        let query = path.split_once('?').map_or("", |(_, query)| query);
        let query: BTreeMap<String, String> = url::form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        if let (Some(digest), Some(from)) = (query.get("mount"), query.get("from"))
            && let Some(blob) = self.blobs.get(&(from.clone(), digest.clone())).cloned()
        {
            self.blobs.insert((TARGET.to_owned(), digest.clone()), blob);
            return Reply::new(201, &[], "");
        }
        self.begin_upload(&format!("/v2/{TARGET}/blobs/uploads/"))
    }

    fn begin_upload(&mut self, path: &str) -> Reply {
        self.begun += 1;
        let number = self.begun;
        let key = (TARGET.to_owned(), format!("uploads/{number}"));
        self.uploads.insert(key);
        Reply::new(202, &[("location", &format!("{path}{number}"))], "")
    }

    fn put_manifest(&mut self, name: &str, reference: &str, received: &Received) -> Reply {
        let key = |text: &str| (name.to_owned(), text.to_owned());
        let parts: serde_json::Value = serde_json::from_slice(&received.body).expect("a manifest");
        let blobs = [&parts["config"], &parts["layers"][0]].map(|blob| &blob["digest"]);
        let is_known = |blob: &serde_json::Value| {
            let digest = blob.as_str().unwrap_or_default();
            self.blobs.contains_key(&key(digest))
        };
        if !blobs.into_iter().all(is_known) {
            return refusal(400, "MANIFEST_BLOB_UNKNOWN", "a blob is unknown");
        }
        let digest = Digest::of(&received.body).to_string();
        self.manifests.insert(key(&digest), received.body.clone());
        if !reference.starts_with("sha256:") {
            self.tags.insert(key(reference), digest);
        }
        Reply::new(201, &[], "")
    }
}

fn found(method: &str, media_type: &str, bytes: &[u8]) -> Reply {
    let digest = Digest::of(bytes);
    let headers = [
        ("content-type", media_type),
        ("docker-content-digest", digest.as_str()),
    ];
    let body = if method == "HEAD" { &[] } else { bytes };
    Reply::claiming(bytes.len(), 200, &headers, body)
}
