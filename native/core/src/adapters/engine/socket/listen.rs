//! The socket that the sensor's container gets instead of the engine's own.
//!
//! falconutil gets no registry token, yet it may pull the source and the sensor through the engine although both are
//! there (7.39 does even with `IfNotPresent`). So its requests go through here to the engine unchanged, but for the
//! sign-in that is added to the pulls of exactly these repositories.

use std::fs::{DirBuilder, Permissions};
use std::io;
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::rt::TokioIo;
use tokio::net::{UnixListener, UnixStream};
use tokio_util::sync::CancellationToken;

use super::forward;
use super::grant::Grant;
use crate::adapters::engine::address::Address;
use crate::adapters::engine::wire::Wire;

/// Name of the socket in its folder.
const FILE: &str = "docker.sock";

/// A socket of ours in front of the engine's; it is closed and its folder removed when this is dropped.
#[derive(Debug)]
pub struct EngineSocket {
    folder: PathBuf,
    stop: CancellationToken,
}

impl EngineSocket {
    /// Opens a socket in `folder`, which is made for it alone and must not exist yet.
    ///
    /// Nobody but the agent's user gets through the folder. The socket itself is open to all, because a bind mount
    /// shows it to the container without its folder, and with user namespaces root in there is nobody out here.
    /// `engine` is the engine's socket, as [`Engine::socket`](super::Engine::socket) tells it.
    pub fn open(engine: &Path, folder: &Path, grants: Vec<Grant>) -> io::Result<Self> {
        DirBuilder::new().mode(0o700).create(folder)?;
        // From here on a failure removes the folder again.
        let socket = Self {
            folder: folder.to_owned(),
            stop: CancellationToken::new(),
        };
        let listener = bind(folder)?;
        std::fs::set_permissions(socket.path(), Permissions::from_mode(0o666))?;
        let wire = Wire::new(Address::Socket(engine.to_owned()));
        let stop = socket.stop.clone();
        let forwarder = Arc::new(forward::Forwarder { wire, grants, stop });
        tokio::spawn(accept(listener, forwarder));
        Ok(socket)
    }

    /// Path of the socket, for a bind mount.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.folder.join(FILE)
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

async fn accept(listener: UnixListener, forwarder: Arc<forward::Forwarder>) {
    loop {
        let accepted = forwarder.stop.run_until_cancelled(listener.accept()).await;
        match accepted {
            None => return,
            Some(Ok((stream, _))) => {
                tokio::spawn(serve(stream, Arc::clone(&forwarder)));
            }
            // Too many open files pass; a loop without a pause would not let them.
            Some(Err(_)) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn serve(stream: UnixStream, forwarder: Arc<forward::Forwarder>) {
    let stop = forwarder.stop.clone();
    let service = hyper::service::service_fn(move |request| {
        let forwarder = Arc::clone(&forwarder);
        async move { Ok::<_, std::convert::Infallible>(forwarder.forward(request).await) }
    });
    let connection = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    // A connection that breaks has nobody left to be told.
    let _ = stop.run_until_cancelled(connection).await;
}
