//! Connections to ports of this machine, with TLS and without.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rcgen::date_time_ymd;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use crate::adapters::engine::client::{Engine, EngineSettings};
use crate::adapters::engine::error::failure::EngineError;
use crate::report::code::Code;
use crate::report::problem::Explain as _;
use crate::test_support::certificates::Authority;

/// An engine's side: its certificate and the authority of its clients.
struct Side<'a> {
    authority: &'a Authority,
    name: &'a str,
    versions: &'a [&'static SupportedProtocolVersion],
    expired: bool,
}

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).expect("a certificate")
}

fn acceptor(side: &Side<'_>) -> TlsAcceptor {
    let (cert, key) = side.authority.certificate(side.name, |params| {
        if side.expired {
            params.not_after = date_time_ymd(2020, 1, 1);
        }
    });
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let mut roots = RootCertStore::empty();
    roots.add(der(side.authority.pem())).expect("an authority");
    let clients =
        WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&ring)).build();
    let config = ServerConfig::builder_with_provider(ring)
        .with_protocol_versions(side.versions)
        .expect("versions")
        .with_client_cert_verifier(clients.expect("a verifier"))
        .with_single_cert(
            vec![der(&cert)],
            PrivateKeyDer::from_pem_slice(key.as_bytes()).expect("a key"),
        );
    Arc::new(config.expect("a configuration")).into()
}

/// Answers every request as a small engine.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin) -> std::io::Result<()> {
    let mut head = [0; 4096];
    let read = stream.read(&mut head).await?;
    assert!(head[..read].starts_with(b"GET /"), "a request");
    let body = r#"{"Version": "28.5.2", "Architecture": "x86_64", "OSType": "linux", "Driver": "overlay2"}"#;
    let length = body.len();
    let answer =
        format!("HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}");
    stream.write_all(answer.as_bytes()).await?;
    stream.shutdown().await
}

/// Serves on a free port until the test ends, with TLS if an acceptor is given.
async fn serve(acceptor: Option<TlsAcceptor>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let acceptor = acceptor.clone();
            // A client that breaks off is the test's subject, not this server's.
            tokio::spawn(async move {
                match acceptor {
                    Some(acceptor) => answer(acceptor.accept(stream).await?).await,
                    None => answer(stream).await,
                }
            });
        }
    });
    port
}

/// The client's files.
fn files(ca: &str, client: Option<&(String, String)>) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).expect("a file");
    };
    write("ca.pem", ca);
    if let Some((cert, key)) = client {
        write("cert.pem", cert);
        write("key.pem", key);
    }
    folder
}

/// Asks for the facts of the engine at a port.
async fn ask(port: u16, folder: Option<&Path>) -> Result<String, EngineError> {
    let engine = Engine::connect(&EngineSettings {
        docker_host: Some(format!("tcp://localhost:{port}")),
        docker_certificates: folder.map(Path::to_owned),
        ..EngineSettings::default()
    })?;
    Ok(engine.facts().await?.version)
}

#[track_caller]
fn assert_fault(asked: Result<String, EngineError>, sentence: &str) {
    let error = asked.expect_err(sentence);
    assert_eq!(error.code(), Code::EngineTlsFailed, "{error:?}");
    let EngineError::Tls { source, .. } = &error else {
        panic!("{error:?}");
    };
    assert!(source.to_string().contains(sentence), "{source}");
    assert!(error.hint().is_some());
}

const VERSIONS: [&[&SupportedProtocolVersion]; 2] = [&[&TLS13], &[&TLS12]];

#[tokio::test]
async fn a_client_with_its_files_is_answered() {
    for versions in VERSIONS {
        let authority = Authority::new();
        let side = Side {
            authority: &authority,
            name: "localhost",
            versions,
            expired: false,
        };
        let port = serve(Some(acceptor(&side))).await;
        let client = authority.certificate("client", |_| {});
        let folder = files(authority.pem(), Some(&client));
        let version = ask(port, Some(folder.path())).await;
        assert_eq!(version.expect("an answer"), "28.5.2");
    }
}

#[tokio::test]
async fn a_client_without_a_certificate_learns_why_it_is_refused() {
    for versions in VERSIONS {
        let authority = Authority::new();
        let side = Side {
            authority: &authority,
            name: "localhost",
            versions,
            expired: false,
        };
        let port = serve(Some(acceptor(&side))).await;
        let folder = files(authority.pem(), None);
        let asked = ask(port, Some(folder.path())).await;
        assert_fault(asked, "the engine demands a client certificate");
        let stranger = Authority::new().certificate("client", |_| {});
        let folder = files(authority.pem(), Some(&stranger));
        let asked = ask(port, Some(folder.path())).await;
        assert_fault(asked, "the engine does not accept the client certificate");
    }
}

#[tokio::test]
async fn each_fault_of_the_engine_s_certificate_is_told_apart() {
    let authority = Authority::new();
    let stranger = Authority::new();
    let client = authority.certificate("client", |_| {});
    for (ca, name, expired, sentence) in [
        (
            &stranger,
            "localhost",
            false,
            "is not signed by the authority",
        ),
        (
            &authority,
            "docker",
            false,
            "is not valid for `localhost`, but for ",
        ),
        (&authority, "localhost", true, "has expired"),
    ] {
        let side = Side {
            authority: &authority,
            name,
            versions: &[&TLS13],
            expired,
        };
        let port = serve(Some(acceptor(&side))).await;
        let folder = files(ca.pem(), Some(&client));
        assert_fault(ask(port, Some(folder.path())).await, sentence);
    }
}

#[tokio::test]
async fn tls_against_plain_and_plain_against_tls() {
    let authority = Authority::new();
    let client = authority.certificate("client", |_| {});
    let folder = files(authority.pem(), Some(&client));
    let plain = serve(None).await;
    assert_eq!(ask(plain, None).await.expect("an answer"), "28.5.2");
    let asked = ask(plain, Some(folder.path())).await;
    assert!(matches!(asked, Err(EngineError::Tls { .. })), "{asked:?}");

    let side = Side {
        authority: &authority,
        name: "localhost",
        versions: &[&TLS13],
        expired: false,
    };
    let secure = serve(Some(acceptor(&side))).await;
    assert_fault(ask(secure, None).await, "the engine expects TLS");
}

#[tokio::test]
async fn an_engine_that_starts_late_is_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    drop(listener);
    let starting = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(700)).await;
        let listener = TcpListener::bind(address).await.expect("the same port");
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream));
        }
    });
    let version = ask(address.port(), None).await;
    assert_eq!(version.expect("an answer"), "28.5.2");
    starting.abort();
}

#[tokio::test(start_paused = true)]
async fn an_engine_that_never_starts_is_not_reachable() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let error = ask(port, None).await.expect_err("nothing listens");
    assert_eq!(error.code(), Code::EngineNotReachable);
    assert!(
        error
            .hint()
            .is_some_and(|hint| hint.contains(&format!("tcp://localhost:{port}")))
    );
}
