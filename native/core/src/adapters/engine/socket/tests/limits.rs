//! Malformed requests, and limits of size and time.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::UnixStream;

use super::filtered::{Bed, QUERY, SOURCE, context};

#[tokio::test]
async fn smuggled_requests_and_endless_heads_end_the_connection() {
    let bed = Bed::new();
    for request in [
        "POST /version HTTP/1.1\r\nHost: d\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /containers/json HTTP/1.1\r\nHost: d\r\n\r\n",
        "GET /version HTTP/1.1\r\nHost: d\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx",
        "GET /version HTTP/1.1\r\nHost : d\r\n\r\n",
        "CONNECT evil.example:80 HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
        "GET http://docker/containers/json HTTP/1.1\r\nHost: d\r\nConnection: close\r\n\r\n",
        "nonsense\r\n\r\n",
    ] {
        let answer = tokio::time::timeout(Duration::from_secs(5), async {
            let mut stream = UnixStream::connect(bed.socket.path())
                .await
                .expect("a connection");
            stream
                .write_all(request.as_bytes())
                .await
                .expect("a request");
            stream.shutdown().await.expect("an end");
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.expect("an answer");
            answer
        });
        let answer = answer.await.expect(request);
        assert!(!answer.contains("HTTP/1.1 200"), "{request}: {answer}");
    }
    let long = format!(
        "GET /version HTTP/1.1\r\nHost: d\r\nConnection: close\r\nX: {}\r\n\r\n",
        "x".repeat(1 << 20)
    );
    let answer = bed.ask(long.as_bytes()).await;
    assert!(
        answer.starts_with("HTTP/1.1 431") || answer.is_empty(),
        "{answer}"
    );
    assert_eq!(bed.seen().len(), 0, "{:?}", bed.seen());
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_cut_off_and_a_silent_engine_is_not() {
    let bed = Bed::new();
    let body = context(&format!("FROM {SOURCE}\n"));
    let headers = format!("Content-Length: {}\r\n", body.len());
    let query = format!("{QUERY}&nocache=1");
    let answer = bed.build(&query, &headers, &body).await;
    assert!(answer.contains("built"), "{answer}");
    for request in ["", "GET /version HTTP/1.1\r\nHost: d\r\n"] {
        let began = tokio::time::Instant::now();
        let answer = bed.ask(request.as_bytes()).await;
        assert!(!answer.contains("HTTP/1.1 200"), "{answer}");
        assert!(began.elapsed() < Duration::from_mins(3), "{request}");
    }
    let answer = bed.build(QUERY, "Content-Length: 100\r\n", b"a part").await;
    assert!(answer.contains("did not arrive in time"), "{answer}");
}

#[tokio::test(start_paused = true)]
async fn silent_connections_keep_others_out_until_they_are_cut_off() {
    let bed = Bed::new();
    let mut silent = Vec::new();
    for _ in 0..32 {
        silent.push(UnixStream::connect(bed.socket.path()).await.expect("one"));
    }
    let began = tokio::time::Instant::now();
    let answer = bed.get("/version").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(began.elapsed() > Duration::from_mins(1), "nothing waited");
}
