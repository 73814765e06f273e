//! An engine that knows one container and answers one kind of request with a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use serde_json::json;

use super::request::EngineRequest;
use crate::test_support::fault::Fault;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

#[derive(Default)]
struct Counts {
    delivered: AtomicUsize,
    /// True while there is a container of ours.
    container: AtomicBool,
    /// True while the clock stands, so that a time limit is over at once.
    paused: AtomicBool,
}

pub(super) struct StandIn {
    server: LoopbackServer,
    counts: Arc<Counts>,
}

impl StandIn {
    pub(super) async fn start(kind: EngineRequest, fault: Fault, times: usize) -> Self {
        let counts = Arc::<Counts>::default();
        let counted = Arc::clone(&counts);
        let server = LoopbackServer::start(move |received, _| {
            // These two are asked side by side, and one must not wake the other.
            if !matches!(kind, EngineRequest::Version | EngineRequest::Info) {
                counted.go_on();
            }
            let earlier = counted.delivered.load(Ordering::SeqCst);
            if !kind.is(received) || earlier >= times {
                return good(kind, received, &counted);
            }
            counted.delivered.fetch_add(1, Ordering::SeqCst);
            if fault == Fault::Silent {
                tokio::time::pause();
                counted.paused.store(true, Ordering::SeqCst);
            }
            faulty(kind, fault, received, &counted)
        });
        Self {
            server: server.await,
            counts,
        }
    }

    pub(super) fn host(&self) -> String {
        self.server.host()
    }

    pub(super) fn delivered(&self) -> usize {
        self.counts.delivered.load(Ordering::SeqCst)
    }

    pub(super) fn has_container(&self) -> bool {
        self.counts.container.load(Ordering::SeqCst)
    }
}

impl Drop for StandIn {
    fn drop(&mut self) {
        self.counts.go_on();
    }
}

impl Counts {
    /// Lets the clock go on.
    fn go_on(&self) {
        if self.paused.swap(false, Ordering::SeqCst) {
            tokio::time::resume();
        }
    }
}

/// The faulty answer.
fn faulty(kind: EngineRequest, fault: Fault, received: &Received, counts: &Counts) -> Reply {
    let refusal = |status, message: &str| {
        Reply::new(status, &JSON, json!({ "message": message }).to_string())
    };
    match fault {
        Fault::Denied => refusal(403, "authorization denied by plugin lab: not allowed"),
        Fault::NotFoundByName => refusal(404, "No such container: falcon-patch-1"),
        Fault::Broken => refusal(500, "something went wrong"),
        Fault::Unavailable => Reply::new(503, &[], ""),
        Fault::OtherContent => Reply::new(200, &JSON, "{}"),
        Fault::Oversized => Reply::new(200, &JSON, vec![b' '; 17 << 20]),
        Fault::NoSpace => refusal(500, "write /var/lib/docker/tmp/x: no space left on device"),
        Fault::Conflict => refusal(409, "conflict: unable to remove: container is using it"),
        Fault::InStream => {
            let line = json!({"errorDetail": {"message": "write /x: no space left on device"}, "error": "write /x: no space left on device"});
            Reply::new(200, &JSON, format!("{line}\r\n"))
        }
        on_the_line => {
            let reply = on_the_line.on_the_line(|| good(kind, received, counts));
            reply.expect("an answer to each fault")
        }
    }
}

/// The good answer; what it asks for is done.
fn good(kind: EngineRequest, received: &Received, counts: &Counts) -> Reply {
    use EngineRequest as E;
    let path = received.line.split_once(' ').map_or("", |(_, path)| path);
    let json = |value: serde_json::Value| Reply::new(200, &JSON, value.to_string());
    let is = |kind: E| kind.is(received);
    if is(E::Version) {
        json(json!({"Version": "28.5.2", "Components": [{"Name": "Engine"}]}))
    } else if is(E::Info) {
        json(json!({"Driver": "overlay2", "Architecture": "x86_64", "OSType": "linux"}))
    } else if is(E::History) {
        json(json!([{"CreatedBy": "COPY", "Size": 1}]))
    } else if is(E::Pull) {
        Reply::new(
            200,
            &JSON,
            "{\"status\":\"Status: Downloaded newer image\"}\r\n",
        )
    } else if is(E::Load) {
        Reply::new(200, &JSON, "{\"stream\":\"Loaded image: x\"}\r\n")
    } else if is(E::Download) {
        Reply::new(200, &[("content-type", "application/x-tar")], vec![0; 1024])
    } else if is(E::PathStat) {
        // {"name":"bin","linkTarget":""}
        let stat = "eyJuYW1lIjoiYmluIiwibGlua1RhcmdldCI6IiJ9";
        Reply::new(200, &[("x-docker-container-path-stat", stat)], "")
    } else if is(E::Create) && kind == E::MountProbe {
        Reply::new(
            404,
            &JSON,
            json!({"message": "No such image: falcon-patch.invalid/none:none"}).to_string(),
        )
    } else if is(E::Create) {
        counts.container.store(true, Ordering::SeqCst);
        Reply::new(
            201,
            &JSON,
            json!({"Id": "c0ffee", "Warnings": []}).to_string(),
        )
    } else if is(E::RemoveContainer) {
        counts.container.store(false, Ordering::SeqCst);
        Reply::new(204, &[], "")
    } else if is(E::Attach) || is(E::Logs) {
        let line = b"patched\n";
        let frame = [&[1, 0, 0, 0, 0, 0, 0, 8], &line[..]].concat();
        if is(E::Logs) {
            let media_type = [("content-type", "application/vnd.docker.multiplexed-stream")];
            return Reply::new(200, &media_type, frame);
        }
        let head = "HTTP/1.1 101 UPGRADED\r\nconnection: Upgrade\r\nupgrade: tcp\r\ncontent-type: application/vnd.docker.multiplexed-stream\r\n\r\n";
        Reply::of([head.as_bytes(), &frame].concat())
    } else if is(E::Wait) {
        json(json!({"StatusCode": 0}))
    } else if is(E::ListContainers) {
        json(json!([{"Id": "c0ffee", "Names": ["/falcon-patch-1"]}]))
    } else if is(E::InspectEnded) {
        json(json!({"State": {"Running": false, "ExitCode": 0, "OOMKilled": false}}))
    } else if is(E::InspectImage) {
        json(
            json!({"Id": "sha256:39e438e0d1bf931b4bd11c9c625052d1", "Os": "linux", "Architecture": "arm64", "RepoTags": [], "RootFS": {"Layers": []}, "Config": {}}),
        )
    } else if is(E::RemoveImage) {
        json(json!([{"Deleted": "sha256:1"}]))
    } else if is(E::Start) || is(E::RemoveVolume) {
        Reply::new(204, &[], "")
    } else if is(E::TagImage) {
        Reply::new(201, &[], "")
    } else {
        panic!("{path} is not a request of ours")
    }
}
