use std::path::PathBuf;

use super::context::Run;
use crate::adapters::engine::socket::grant::Grant;
use crate::adapters::engine::socket::listen::EngineSocket;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::source::SourceOrigin;
use crate::flow::plan::ready::Ready;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// The path at which falconutil looks for the engine.
pub(super) const SOCKET_IN_CONTAINER: &str = "/var/run/docker.sock";

#[derive(Debug, thiserror::Error)]
#[error("Cannot open a socket in `{folder}`", folder = folder.display())]
struct NoSocket {
    folder: PathBuf,
    source: std::io::Error,
}

impl Explain for NoSocket {
    fn code(&self) -> Code {
        Code::TaskFolderNotWritable
    }

    fn hint(&self) -> Option<String> {
        Some("Let the agent's user own and write to the agent's temporary folder".to_owned())
    }
}

impl Run {
    /// Opens the socket that falconutil gets. One of the task's own signs its pulls in, so that it needs no token.
    pub(super) async fn socket(&self, ready: &Ready<'_>) -> Result<SensorSocket, Problem> {
        let engine = self.services.engine()?;
        let agent = self.services.agent();
        let Some(path) = engine.socket() else {
            return Ok(SensorSocket::Engines(SOCKET_IN_CONTAINER.into()));
        };
        // In a container job the engine sees other paths than this process, so only its own socket can be mounted.
        if agent.in_container_job {
            return Ok(SensorSocket::Engines(path.to_owned()));
        }
        let folder = self.folder();
        let grants = futures_util::future::try_join_all(granted(ready).into_iter().map(
            |repository| async {
                let auth = self.registry_auth(&repository).await?;
                Ok::<_, Problem>(Grant { repository, auth })
            },
        ));
        let socket = EngineSocket::open(path, &folder, grants.await?);
        Ok(SensorSocket::Ours(
            socket.map_err(|source| NoSocket { folder, source })?,
        ))
    }
}

/// The repositories from which falconutil may pull: the sensor's, and the source's if it is in a registry.
fn granted(ready: &Ready<'_>) -> Vec<Repository> {
    let mut repositories = vec![ready.sensor_origin().clone()];
    if let SourceOrigin::Registry(repository, _) = ready.source_origin() {
        repositories.push(repository.clone());
    }
    repositories
}

/// A socket to mount. The task's own is closed when it is dropped.
pub(super) enum SensorSocket {
    Ours(EngineSocket),
    Engines(PathBuf),
}

impl SensorSocket {
    pub(super) fn path(&self) -> PathBuf {
        match self {
            Self::Ours(socket) => socket.path(),
            Self::Engines(path) => path.clone(),
        }
    }
}
