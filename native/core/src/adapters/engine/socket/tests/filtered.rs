//! The filter before a stand-in engine that keeps what reached it.

use std::convert::Infallible;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::body::{Bytes, Incoming};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::{auth, open};
use crate::adapters::engine::socket::access::Access;
use crate::adapters::engine::socket::listen::EngineSocket;

pub(super) const SOURCE: &str = "registry.example/app/web@sha256:1111111111111111111111111111111111111111111111111111111111111111";
const TARGET: &str = "falcon-patch.invalid/1:patched";

/// Time that a build without a cache takes; longer than any limit of the socket.
const SLOW: Duration = Duration::from_hours(1);

/// A request that reached the engine.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    line: String,
    headers: String,
    body: Vec<u8>,
}

/// An engine and the socket before it.
pub(super) struct Bed {
    _root: tempfile::TempDir,
    pub(super) socket: EngineSocket,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Bed {
    pub(super) fn new() -> Self {
        let root = tempfile::tempdir().expect("a folder");
        let seen: Arc<Mutex<Vec<Seen>>> = Arc::default();
        let engine = engine(root.path(), Arc::clone(&seen));
        let socket = open(&engine, &root.path().join("s"), Access::Filtered);
        Self {
            _root: root,
            socket,
            seen,
        }
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().expect("no panic").clone()
    }

    /// Sends bytes as they are and returns the answer.
    pub(super) async fn ask(&self, request: &[u8]) -> String {
        let mut stream = UnixStream::connect(self.socket.path())
            .await
            .expect("a connection");
        // A refusal may come before all is sent.
        let _ = stream.write_all(request).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    pub(super) async fn get(&self, path: &str) -> String {
        let request = format!("GET {path} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n");
        self.ask(request.as_bytes()).await
    }

    pub(super) async fn build(&self, query: &str, headers: &str, body: &[u8]) -> String {
        let head = format!(
            "POST /v1.41/build?{query} HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n{headers}\r\n"
        );
        self.ask(&[head.as_bytes(), body].concat()).await
    }
}

fn engine(folder: &Path, seen: Arc<Mutex<Vec<Seen>>>) -> PathBuf {
    let path = folder.join("engine.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let seen = Arc::clone(&seen);
            let service =
                hyper::service::service_fn(move |request| answer(request, Arc::clone(&seen)));
            tokio::spawn(
                hyper::server::conn::http1::Builder::new()
                    .serve_connection(TokioIo::new(stream), service),
            );
        }
    });
    path
}

async fn answer(
    request: Request<Incoming>,
    seen: Arc<Mutex<Vec<Seen>>>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.expect("a body").to_bytes().to_vec();
    let line = format!("{} {}", head.method, head.uri);
    seen.lock().expect("no panic").push(Seen {
        line: line.clone(),
        headers: format!("{:?}", head.headers),
        body,
    });
    let (status, answer) = match line.as_str() {
        "GET /v1.41/info" => (200, json!({"OSType": "linux", "HttpProxy": "secret"})),
        line if line.contains("/build?") => {
            let is_slow = line.contains("nocache=1");
            tokio::time::sleep(if is_slow {
                SLOW
            } else {
                Duration::from_millis(300)
            })
            .await;
            (200, json!({"stream": "built"}))
        }
        line if line.ends_with("/json") && line.contains(TARGET) => {
            (404, json!({"message": "no such image"}))
        }
        line if line.ends_with("/json") => {
            (200, json!({"Id": format!("sha256:{}", "ab".repeat(32))}))
        }
        _ => (200, json!({})),
    };
    let mut response = Response::new(Full::from(answer.to_string()));
    *response.status_mut() = StatusCode::from_u16(status).expect("a status");
    Ok(response)
}

pub(super) fn context(dockerfile: &str) -> Vec<u8> {
    let mut archive = tar::Builder::new(Vec::new());
    let mut header = tar::Header::new_gnu();
    header.set_size(dockerfile.len() as u64);
    header.set_mode(0o644);
    archive
        .append_data(&mut header, "Dockerfile", dockerfile.as_bytes())
        .expect("an entry");
    archive.into_inner().expect("a tar")
}

fn dockerfile(tar: &[u8]) -> String {
    let mut text = String::new();
    let mut archive = tar::Archive::new(tar);
    for entry in archive.entries().expect("entries") {
        io::Read::read_to_string(&mut entry.expect("an entry"), &mut text).expect("text");
    }
    text
}

pub(super) const QUERY: &str = "version=2&t=falcon-patch.invalid/1:patched";

#[tokio::test]
async fn a_build_reaches_the_engine_as_ours_however_its_context_travels() {
    let bed = Bed::new();
    let plain = context(&format!("# theirs\nFROM {SOURCE}\n"));
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&plain).expect("gzip");
    let packed = gzip.finish().expect("gzip");
    let theirs = "X-Registry-Config: theirs\r\nX-Registry-Auth: theirs\r\nContent-Type: application/x-tar\r\n";
    let mut chunked = Vec::new();
    for chunk in packed.chunks(50) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        chunked.extend([chunk, b"\r\n"].concat());
    }
    chunked.extend(b"0\r\n\r\n");
    let length = |body: &[u8]| format!("{theirs}Content-Length: {}\r\n", body.len());
    for (headers, body) in [
        (length(&plain), &plain),
        (length(&packed), &packed),
        (format!("{theirs}Transfer-Encoding: chunked\r\n"), &chunked),
    ] {
        let answer = bed.build(QUERY, &headers, body).await;
        assert!(answer.contains("built"), "{answer}");
    }
    for seen in bed.seen() {
        let query = "version=2&t=falcon-patch.invalid%2F1%3Apatched&dockerfile=Dockerfile&platform=linux%2Farm64&networkmode=none&rm=1";
        assert_eq!(seen.line, format!("POST /v1.41/build?{query}"));
        assert_eq!(dockerfile(&seen.body), format!("FROM {SOURCE}\n"));
        assert!(!seen.headers.contains("theirs"), "{}", seen.headers);
    }
    assert_eq!(bed.seen().len(), 3);
    assert!(bed.socket.refused().is_empty());
}

#[tokio::test]
async fn a_refused_build_reaches_no_engine_and_is_named() {
    let bed = Bed::new();
    let length = |body: &[u8]| format!("Content-Length: {}\r\n", body.len());
    let good = context(&format!("FROM {SOURCE}\n"));
    let foreign = context("FROM nginx\n");
    let large = vec![b'x'; (1 << 20) + 1];
    for (query, body, expected) in [
        (
            "version=1&t=falcon-patch.invalid/1:patched",
            &good,
            "`version=2`",
        ),
        (QUERY, &foreign, "not an image of this run"),
        (QUERY, &large, "larger than 1 MiB"),
        (
            &format!("{QUERY}&dockerfile=other"),
            &good,
            "no file `other`",
        ),
    ] {
        let answer = bed.build(query, &length(body), body).await;
        assert!(answer.starts_with("HTTP/1.1 403"), "{answer}");
        assert!(answer.contains(expected), "{answer}");
    }
    let refused = bed.socket.refused();
    assert_eq!(refused.len(), 4, "{refused:?}");
    assert!(refused[0].starts_with("`POST /build`: "), "{refused:?}");
    assert_eq!(bed.seen().len(), 0);
}

#[tokio::test]
async fn one_build_runs_at_a_time() {
    let bed = Bed::new();
    let body = context(&format!("FROM {SOURCE}\n"));
    let headers = format!("Content-Length: {}\r\n", body.len());
    let build = || bed.build(QUERY, &headers, &body);
    let (one, two) = tokio::join!(build(), build());
    let refused = [&one, &two]
        .into_iter()
        .filter(|answer| answer.contains("another build is running"));
    assert_eq!(refused.count(), 1, "{one}\n{two}");
    let three = build().await;
    assert!(three.contains("built"), "{three}");
}

#[tokio::test]
async fn a_pull_has_our_query_our_login_and_no_body() {
    let bed = Bed::new();
    let pull = |headers: &str, body: &str| {
        format!(
            "POST /v1.41/images/create?fromImage={SOURCE}&tag= HTTP/1.1\r\nHost: docker\r\nConnection: close\r\nX-Registry-Auth: theirs\r\n{headers}Content-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    let body = "fromImage=evil.example/x";
    let answer = bed
        .ask(pull("Content-Type: text/plain\r\n", body).as_bytes())
        .await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    let [seen] = &bed.seen()[..] else {
        panic!("one request was expected")
    };
    assert!(seen.line.starts_with(
        "POST /v1.41/images/create?fromImage=registry.example%2Fapp%2Fweb&tag=sha256%3A1"
    ));
    assert!(seen.headers.contains(&auth().header()), "{}", seen.headers);
    assert!(!seen.headers.contains("theirs"), "{}", seen.headers);
    assert!(seen.body.is_empty());
    for kind in [
        "application/x-www-form-urlencoded",
        "Multipart/Form-Data; boundary=x",
    ] {
        let answer = bed
            .ask(pull(&format!("Content-Type: {kind}\r\n"), body).as_bytes())
            .await;
        assert!(answer.contains("its body holds parameters"), "{answer}");
    }
    assert_eq!(bed.seen().len(), 1);
}

#[tokio::test]
async fn the_engine_is_described_in_part() {
    let bed = Bed::new();
    let answer = bed.get("/v1.41/info").await;
    assert!(answer.contains(r#"{"OSType":"linux"}"#), "{answer}");
}

#[tokio::test]
async fn an_id_counts_if_an_image_of_the_run_has_it() {
    let bed = Bed::new();
    let known = bed
        .get(&format!("/images/sha256:{}/json", "ab".repeat(32)))
        .await;
    assert!(known.starts_with("HTTP/1.1 200"), "{known}");
    let short = bed.get("/images/abababababab/json").await;
    assert!(short.starts_with("HTTP/1.1 200"), "{short}");
    let foreign = bed
        .get(&format!("/images/sha256:{}/json", "cd".repeat(32)))
        .await;
    assert!(
        foreign.contains("no image of this run has this ID"),
        "{foreign}"
    );
}
