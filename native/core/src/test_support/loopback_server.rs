//! A server for tests that answers whatever a test has it answer, byte for byte.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// Listens on a free port of 127.0.0.1 until it is dropped.
pub struct LoopbackServer {
    address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    task: JoinHandle<()>,
}

/// A request that came in.
#[derive(Clone, Debug)]
pub struct Received {
    /// Method and path, such as `GET /v2/`.
    pub(crate) line: String,
    /// The headers, with names in lower case.
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// An answer, byte for byte.
pub struct Reply {
    bytes: Vec<u8>,
    /// Wait between two pieces of it, where it does not come at once.
    pace: Option<Duration>,
    ending: Ending,
}

/// State of the connection after an answer.
#[derive(Clone, Copy)]
enum Ending {
    Closed,
    Reset,
    /// It stays open, and nothing more comes.
    Open,
}

/// Pieces of an answer that comes slowly.
const PIECES: usize = 6;

type Handler = dyn Fn(&Received, usize) -> Reply + Send + Sync;

impl LoopbackServer {
    /// Starts; `answer` is given each request and how many came before it.
    pub(crate) async fn start(
        answer: impl Fn(&Received, usize) -> Reply + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let received = Arc::default();
        let log = Arc::clone(&received);
        let answer: Arc<Handler> = Arc::new(answer);
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&log), Arc::clone(&answer)));
            }
        });
        Self {
            address,
            received,
            task,
        }
    }

    /// Host and port, as in a reference.
    pub(crate) fn host(&self) -> String {
        self.address.to_string()
    }

    /// The requests so far.
    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().expect("no panic").clone()
    }

    /// The lines of what came in so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.received().into_iter().map(|r| r.line).collect()
    }
}

impl Drop for LoopbackServer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Received {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }
}

impl Reply {
    /// An answer whose length is right.
    pub(crate) fn new(status: u16, headers: &[(&str, &str)], body: impl AsRef<[u8]>) -> Self {
        let length = body.as_ref().len();
        Self::claiming(length, status, headers, body)
    }

    /// An answer that says that it has another length.
    pub(crate) fn claiming(
        length: usize,
        status: u16,
        headers: &[(&str, &str)],
        body: impl AsRef<[u8]>,
    ) -> Self {
        use std::fmt::Write as _;
        let mut head =
            format!("HTTP/1.1 {status} Said\r\nconnection: close\r\ncontent-length: {length}\r\n");
        for (name, value) in headers {
            let _ = write!(head, "{name}: {value}\r\n");
        }
        head.push_str("\r\n");
        Self::of([head.as_bytes(), body.as_ref()].concat())
    }

    /// These bytes, and nothing else.
    pub(crate) fn of(bytes: Vec<u8>) -> Self {
        Self {
            bytes,
            pace: None,
            ending: Ending::Closed,
        }
    }

    /// No answer: the connection is closed.
    pub(crate) fn none() -> Self {
        Self::of(Vec::new())
    }

    /// No answer: the connection is reset.
    pub(crate) fn reset() -> Self {
        Self {
            ending: Ending::Reset,
            ..Self::none()
        }
    }

    /// No answer, and the connection stays open.
    pub(crate) fn never() -> Self {
        Self {
            ending: Ending::Open,
            ..Self::none()
        }
    }

    /// The answer without the end of its head.
    pub(crate) fn cut_in_head(self) -> Self {
        let end = self.head() - 3;
        Self::of(self.bytes[..end].to_vec())
    }

    /// The answer with a body that has half of the promised length.
    pub(crate) fn cut_in_body(self) -> Self {
        let (head, body) = self.bytes.split_at(self.head());
        let half = &body[..body.len() / 2];
        let head = String::from_utf8_lossy(head);
        // An empty body is promised to have a byte.
        let head = head.replace("content-length: 0\r\n", "content-length: 1\r\n");
        Self::of([head.as_bytes(), half].concat())
    }

    /// The first half of the answer, after which nothing more comes.
    pub(crate) fn stalled(self) -> Self {
        Self {
            ending: Ending::Open,
            ..Self::of(self.bytes[..self.bytes.len() / 2].to_vec())
        }
    }

    /// The answer in small pieces.
    pub(crate) fn in_pieces(self) -> Self {
        Self {
            pace: Some(Duration::from_millis(2)),
            ..self
        }
    }

    /// The length of the head.
    fn head(&self) -> usize {
        let end = self.bytes.windows(4).position(|w| w == b"\r\n\r\n");
        end.map_or(self.bytes.len(), |end| end + 4)
    }
}

async fn serve(stream: TcpStream, log: Arc<Mutex<Vec<Received>>>, answer: Arc<Handler>) {
    let mut stream = BufReader::new(stream);
    let Some(received) = read(&mut stream).await else {
        return;
    };
    let earlier = {
        let mut log = log.lock().expect("no panic");
        log.push(received.clone());
        log.len() - 1
    };
    let mut reply = answer(&received, earlier);
    if received.line.starts_with("HEAD ") {
        reply.bytes.truncate(reply.head());
    }
    send(stream.get_mut(), &reply).await;
}

async fn send(stream: &mut TcpStream, reply: &Reply) {
    let pieces = reply.pace.map_or(1, |_| PIECES);
    for piece in reply
        .bytes
        .chunks(reply.bytes.len().div_ceil(pieces).max(1))
    {
        let _ = stream.write_all(piece).await;
        if let Some(pace) = reply.pace {
            tokio::time::sleep(pace).await;
        }
    }
    match reply.ending {
        Ending::Closed => {
            let _ = stream.shutdown().await;
        }
        Ending::Reset => {
            let _ = stream.set_zero_linger();
        }
        Ending::Open => std::future::pending().await,
    }
}

async fn read(stream: &mut BufReader<TcpStream>) -> Option<Received> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.first()?;
    let headers: Vec<(String, String)> = lines
        .iter()
        .skip(1)
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name == "content-length");
    let length = length
        .and_then(|(_, value)| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    Some(Received {
        line: first.trim_end_matches(" HTTP/1.1").to_owned(),
        headers,
        body,
    })
}
