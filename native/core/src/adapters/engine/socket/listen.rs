//! Opening, serving and closing of the socket.
//!
//! falconutil gets no registry token, yet it may pull the source and the sensor through the engine although both are
//! there (7.39 does even with `IfNotPresent`). So its requests go through here, and pulls of these images are signed in.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::access::Access;
use super::forward::Forwarder;
use super::grant::Grant;
use super::refusals::Refusals;
use crate::adapters::engine::client::Engine;

/// Name of the socket in its folder.
const FILE: &str = "docker.sock";

/// Connections at once; a client of the engine needs two or three.
const CONNECTIONS: usize = 32;

/// Longest head of a request, in bytes.
const HEAD: usize = 64 * 1024;

/// Longest time for the head of a request, counted from the end of the answer before. It does not run while the engine's
/// answer is awaited, since a build can be silent for minutes.
const IDLE: Duration = Duration::from_mins(2);

/// A socket of ours in front of the engine's; it is closed and its folder removed when this is dropped.
#[derive(Debug)]
pub struct EngineSocket {
    folder: PathBuf,
    refusals: Arc<Refusals>,
    stop: CancellationToken,
}

impl EngineSocket {
    /// Opens a socket in `folder`, which is made for it alone and must not exist yet.
    ///
    /// Nobody but the agent's user gets through the folder. The socket itself is open to all, because a bind mount
    /// shows it to the container without its folder, and with user namespaces root in there is nobody out here.
    pub fn open(engine: &Engine, folder: &Path, grant: Grant, access: Access) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(folder)?;
        // From here on a failure removes the folder again.
        let socket = Self {
            folder: folder.to_owned(),
            refusals: Arc::default(),
            stop: CancellationToken::new(),
        };
        let listener = bind(folder)?;
        std::fs::set_permissions(socket.path(), Permissions::from_mode(0o666))?;
        let (refusals, stop) = (Arc::clone(&socket.refusals), socket.stop.clone());
        let forwarder = Forwarder::new(engine.wire.clone(), grant, access, refusals, stop.clone());
        tokio::spawn(accept(listener, Arc::new(forwarder), stop));
        Ok(socket)
    }

    /// Path of the socket, for a bind mount.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
    }

    /// The requests that were refused so far, each with the reason.
    #[must_use]
    pub fn refused(&self) -> Vec<String> {
        self.refusals.sentences()
    }

    /// Ends all connections and removes the folder.
    pub fn close(self) -> io::Result<()> {
        self.remove()
    }

    fn remove(&self) -> io::Result<()> {
        self.stop.cancel();
        // Nothing but what was made here is removed, so a folder with something else in it stays.
        match std::fs::remove_file(self.path()).and_then(|()| std::fs::remove_dir(&self.folder)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }
}

impl Drop for EngineSocket {
    fn drop(&mut self) {
        // The folder is in the journal, so what cannot be removed now is swept later.
        let _ = self.remove();
    }
}

/// Binds by way of the folder's descriptor: a socket's path may have 107 bytes, which an agent's folders can exceed
/// (<https://man7.org/linux/man-pages/man7/unix.7.html>).
fn bind(folder: &Path) -> io::Result<UnixListener> {
    let descriptor = std::fs::File::open(folder)?;
    let short = format!("/proc/self/fd/{}/{FILE}", descriptor.as_raw_fd());
    UnixListener::bind(short)
}

async fn accept(listener: UnixListener, forwarder: Arc<Forwarder>, stop: CancellationToken) {
    let connections = Arc::new(Semaphore::new(CONNECTIONS));
    let next = async || {
        let permit = Arc::clone(&connections).acquire_owned().await;
        let permit = permit.map_err(io::Error::other)?;
        Ok::<_, io::Error>((listener.accept().await?.0, permit))
    };
    loop {
        match stop.run_until_cancelled(next()).await {
            None => return,
            Some(Ok((stream, permit))) => {
                let served = serve(stream, Arc::clone(&forwarder), stop.clone());
                tokio::spawn(async move {
                    served.await;
                    drop(permit);
                });
            }
            // Too many open files pass; a loop without a pause would not let them.
            Some(Err(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: UnixStream, forwarder: Arc<Forwarder>, stop: CancellationToken) {
    let service = hyper::service::service_fn(move |request| {
        let forwarder = Arc::clone(&forwarder);
        async move { Ok::<_, std::convert::Infallible>(forwarder.answer(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(IDLE)
        .max_buf_size(HEAD)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A connection that breaks has no client left to answer.
    let _ = stop.run_until_cancelled(connection).await;
}
