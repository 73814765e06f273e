//! The socket before a stand-in engine that tells what reached it.

use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};

use super::access::Access;
use super::grant::{Grant, GrantedImage};
use super::listen::EngineSocket;
use crate::adapters::engine::client::{Engine, EngineSettings};
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::report::secret::Secret;

/// An engine that answers `answer` to one request on each connection and then sends back what it reads.
fn engine(folder: &Path, answer: &'static str) -> PathBuf {
    let path = folder.join("engine.sock");
    let listener = UnixListener::bind(&path).expect("a socket");
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let head = read_head(&mut stream).await?;
                let answer = answer.replace("{seen}", &format!("{:x}\r\n{head}\r\n", head.len()));
                stream.write_all(answer.as_bytes()).await?;
                let mut bytes = [0; 64];
                loop {
                    let count = stream.read(&mut bytes).await?;
                    if count == 0 {
                        return Ok::<(), io::Error>(());
                    }
                    stream
                        .write_all(&bytes[..count].to_ascii_uppercase())
                        .await?;
                }
            });
        }
    });
    path
}

async fn read_head(stream: &mut UnixStream) -> io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

const ECHO: &str = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n{seen}0\r\n\r\n";

const UPGRADE: &str = "HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

fn auth() -> RegistryAuth {
    RegistryAuth {
        username: Some("AWS".to_owned()),
        password: Secret::new("token"),
        registry: "registry.example".to_owned(),
    }
}

fn grant() -> Grant {
    let image = |name: &str, auth| GrantedImage::new(name, auth).expect("an image");
    let digest = "1".repeat(64);
    Grant {
        source: image(
            &format!("registry.example/app/web@sha256:{digest}"),
            Some(auth()),
        ),
        sensor: image(
            &format!("registry.example/sensor@sha256:{digest}"),
            Some(auth()),
        ),
        target: image("falcon-patch.invalid/1:patched", None),
    }
}

fn client(engine: &Path) -> Engine {
    Engine::connect(&EngineSettings {
        docker_host: Some(format!("unix://{}", engine.display())),
        ..EngineSettings::default()
    })
    .expect("an address")
}

fn open(engine: &Path, folder: &Path, access: Access) -> EngineSocket {
    EngineSocket::open(&client(engine), folder, grant(), access).expect("a socket")
}

/// Sends a request as it is and reads the answer to its end.
async fn ask(socket: &Path, request: &str) -> String {
    let mut stream = UnixStream::connect(socket).await.expect("a connection");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("an answer");
    answer
}

#[tokio::test]
async fn a_granted_pull_is_made_anew_and_any_other_gets_no_sign_in() {
    let root = tempfile::tempdir().expect("a folder");
    let engine = engine(root.path(), ECHO);
    let socket = open(&engine, &root.path().join("s"), Access::Direct);
    let header = auth().header();
    let form = "fromImage=evil.example/x";
    let request = |image: &str| {
        format!(
            "POST /v1.51/images/create?fromImage=registry.example/{image}&tag=1 HTTP/1.1\r\nHost: docker\r\nX-Registry-Auth: theirs\r\nX-Other: kept\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{form}",
            form.len()
        )
    };
    let seen = ask(&socket.path(), &request("app/web")).await;
    let target =
        "POST /v1.51/images/create?fromImage=registry.example%2Fapp%2Fweb&tag=1&platform= ";
    assert!(seen.contains(target), "{seen}");
    assert!(
        seen.contains(&format!("x-registry-auth: {header}\r\n")),
        "{seen}"
    );
    for theirs in ["theirs", "kept", "evil", "urlencoded"] {
        assert!(!seen.contains(theirs), "{seen}");
    }
    let seen = ask(&socket.path(), &request("app/other")).await;
    assert!(seen.contains("x-registry-auth: theirs\r\n"), "{seen}");
    assert!(!seen.contains(&header), "{seen}");
}

#[tokio::test]
async fn after_an_upgrade_bytes_pass_both_ways() {
    let root = tempfile::tempdir().expect("a folder");
    let engine = engine(root.path(), UPGRADE);
    let socket = open(&engine, &root.path().join("s"), Access::Direct);
    let mut stream = UnixStream::connect(socket.path())
        .await
        .expect("a connection");
    let request =
        "POST /session HTTP/1.1\r\nHost: docker\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";
    stream
        .write_all(request.as_bytes())
        .await
        .expect("a request");
    let head = read_head(&mut stream).await.expect("a head");
    assert!(head.starts_with("HTTP/1.1 101"), "{head}");
    let mut answer = [0; 4];
    for _ in 0..2 {
        stream.write_all(b"ping").await.expect("bytes");
        stream.read_exact(&mut answer).await.expect("bytes");
        assert_eq!(&answer, b"PING");
    }
    // Closing the socket ends what runs over it.
    socket.close().expect("a closed socket");
    assert_eq!(stream.read(&mut answer).await.unwrap_or(0), 0);
}

#[tokio::test]
async fn an_engine_that_is_gone_is_told_in_its_own_form() {
    let root = tempfile::tempdir().expect("a folder");
    let nothing = root.path().join("nothing.sock");
    let socket = open(&nothing, &root.path().join("s"), Access::Filtered);
    let request = "GET /_ping HTTP/1.1\r\nHost: docker\r\nConnection: close\r\n\r\n";
    let answer = ask(&socket.path(), request).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("{\"message\":\""), "{answer}");
}

#[tokio::test]
async fn the_socket_is_private_and_leaves_nothing() {
    let root = tempfile::tempdir().expect("a folder");
    // An agent's folders can be longer than a socket's path may be.
    let folder = root.path().join("f".repeat(120));
    let socket = open(Path::new("/engine"), &folder, Access::Filtered);
    let mode = std::fs::metadata(&folder)
        .expect("a folder")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o700);
    EngineSocket::open(
        &client(Path::new("/engine")),
        &folder,
        grant(),
        Access::Filtered,
    )
    .expect_err("somebody's folder");
    assert!(socket.path().exists());
    drop(socket);
    assert!(!folder.exists());
}

mod filtered;
mod limits;
