//! Opens connections to the engine: a Unix socket, a port of this machine, or TLS.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::OnceCell;
use tokio::time::Instant;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::address::Address;
use super::error::fault::Fault;
use super::tls::fault::{ClientSide, TlsFault};
use super::tls::files::{ClientTls, load};

/// Longest wait for a port where nothing listens yet: an engine beside the agent may start after it.
const LATE: Duration = Duration::from_secs(10);

const BETWEEN: Duration = Duration::from_millis(200);

/// Longest time of one handshake, and of a look at what an engine says after it.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Longest wait for the alert of an engine that refuses.
const ALERT: Duration = Duration::from_secs(2);

/// The bytes of any kind of connection.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// Opens connections to one engine; cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Connector {
    address: Address,
    /// The client's side of TLS, read once.
    tls: Arc<OnceCell<Result<ClientTls, TlsFault>>>,
    /// True once the engine has answered: from then on nothing is waited for.
    has_answered: Arc<AtomicBool>,
}

impl Connector {
    pub(super) fn new(address: Address) -> Self {
        Self {
            address,
            tls: Arc::default(),
            has_answered: Arc::default(),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Remembers that the engine has answered.
    pub(super) fn answered(&self) {
        self.has_answered.store(true, Ordering::Relaxed);
    }

    /// Opens a connection.
    pub(super) async fn open(&self) -> Result<Box<dyn Stream>, Fault> {
        match &self.address {
            Address::Socket(path) => {
                let stream = UnixStream::connect(path).await.map_err(Fault::Connect)?;
                Ok(Box::new(stream))
            }
            Address::Port {
                host,
                port,
                certificates: None,
            } => Ok(Box::new(self.connect(host, *port).await?)),
            Address::Port {
                host,
                port,
                certificates: Some(folder),
            } => Ok(Box::new(self.connect_by_tls(host, *port, folder).await?)),
        }
    }

    /// Finds the fault behind a connection that broke before its answer came. With TLS 1.3 an engine that refuses a
    /// client says so after the handshake, and the alert can be lost among what was sent meanwhile. So a connection on
    /// which nothing is sent is asked again.
    pub(super) async fn explain(&self, error: &hyper::Error) -> Fault {
        let broken = Fault::broken(error);
        if self.has_answered.load(Ordering::Relaxed) {
            return broken;
        }
        match &self.address {
            Address::Socket(_) => broken,
            Address::Port {
                host,
                port,
                certificates: None,
            } => {
                let speaks_tls = speaks_tls(host, *port).await;
                if speaks_tls {
                    TlsFault::TlsExpected.into()
                } else {
                    broken
                }
            }
            Address::Port {
                host,
                port,
                certificates: Some(folder),
            } => match self.connect_by_tls(host, *port, folder).await {
                Ok(stream) => self.alert(stream, host, folder).await.unwrap_or(broken),
                Err(fault) => fault,
            },
        }
    }

    /// Waits for the alert of an engine that refuses this client.
    async fn alert(
        &self,
        mut stream: TlsStream<TcpStream>,
        host: &str,
        folder: &Path,
    ) -> Option<Fault> {
        let read = tokio::time::timeout(ALERT, stream.read_u8()).await.ok()?;
        let tls = self.tls.get()?.as_ref().ok()?;
        let client = client_side(tls, host, folder);
        TlsFault::of(&read.err()?, client).map(Fault::Tls)
    }

    async fn connect_by_tls(
        &self,
        host: &str,
        port: u16,
        folder: &Path,
    ) -> Result<TlsStream<TcpStream>, Fault> {
        let tls = self.tls.get_or_init(|| load(folder)).await;
        let tls = tls.as_ref().map_err(|fault| Fault::Tls(fault.clone()))?;
        let stream = self.connect(host, port).await?;
        let shaken = shake_hands(stream, tls, host).await;
        shaken.map_err(|error| {
            let fault = TlsFault::of(&error, client_side(tls, host, folder));
            Fault::Tls(fault.unwrap_or_else(|| TlsFault::Other(error.to_string())))
        })
    }

    /// Connects to a port, and waits for one that is not there yet.
    async fn connect(&self, host: &str, port: u16) -> Result<TcpStream, Fault> {
        let started = Instant::now();
        loop {
            let error = match TcpStream::connect((unbracketed(host), port)).await {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            let is_late = error.kind() == io::ErrorKind::ConnectionRefused
                && !self.has_answered.load(Ordering::Relaxed)
                && started.elapsed() < LATE;
            if !is_late {
                return Err(Fault::Connect(error));
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }
}

fn client_side<'a>(tls: &ClientTls, host: &'a str, folder: &'a Path) -> ClientSide<'a> {
    ClientSide {
        folder,
        host,
        has_certificate: tls.has_certificate,
    }
}

async fn shake_hands(
    stream: TcpStream,
    tls: &ClientTls,
    host: &str,
) -> io::Result<TlsStream<TcpStream>> {
    let name = ServerName::try_from(unbracketed(host).to_owned()).map_err(io::Error::other)?;
    let handshake = TlsConnector::from(Arc::clone(&tls.config)).connect(name, stream);
    let timed_out = |_| io::Error::from(io::ErrorKind::TimedOut);
    tokio::time::timeout(HANDSHAKE, handshake)
        .await
        .map_err(timed_out)?
}

/// Begins a handshake without trusting anyone: any answer but one without TLS shows that the port speaks it.
async fn speaks_tls(host: &str, port: u16) -> bool {
    let Ok(builder) = crate::adapters::http::trust::config_builder() else {
        return false;
    };
    let config = builder.with_root_certificates(rustls::RootCertStore::empty());
    let tls = ClientTls {
        config: Arc::new(config.with_no_client_auth()),
        has_certificate: false,
    };
    let Ok(stream) = TcpStream::connect((unbracketed(host), port)).await else {
        return false;
    };
    let client = client_side(&tls, host, Path::new(""));
    match shake_hands(stream, &tls, host).await {
        Ok(_) => true,
        Err(error) => !matches!(TlsFault::of(&error, client), None | Some(TlsFault::NotTls)),
    }
}

/// An IPv6 address without its brackets.
fn unbracketed(host: &str) -> &str {
    host.trim_matches(['[', ']'])
}

#[cfg(test)]
mod tests;
