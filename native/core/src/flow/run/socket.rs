//! The socket that falconutil gets, and the access to the engine that it gives.

use std::path::PathBuf;

use super::context::Run;
use crate::adapters::engine::socket::access::Access;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};
use crate::adapters::engine::socket::listen::EngineSocket;
use crate::domain::reference::error::ReferenceError;
use crate::flow::config::patch::EngineAccess;
use crate::flow::facts::source::SourceOrigin;
use crate::flow::plan::ready::Ready;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

#[derive(Debug, thiserror::Error)]
enum SocketError {
    #[error("Cannot open a socket in `{folder}`", folder = folder.display())]
    NoSocket {
        folder: PathBuf,
        source: std::io::Error,
    },
    #[error("Cannot name an image for falconutil")]
    Name(#[from] ReferenceError),
}

impl Explain for SocketError {
    fn code(&self) -> Code {
        match self {
            Self::NoSocket { .. } => Code::TaskFolderNotWritable,
            Self::Name(_) => Code::TaskInternal,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::NoSocket { .. } => {
                    "Let the agent's user own and write to the agent's temporary folder"
                }
                Self::Name(_) => "This is a bug of the task: please report it",
            }
            .to_owned(),
        )
    }
}

impl Run {
    /// Opens the socket for a run of falconutil on `source`. It signs the pulls in, so that falconutil needs no token.
    pub(super) async fn socket(
        &self,
        source: &str,
        target: &str,
        ready: &Ready<'_>,
    ) -> Result<SensorSocket, Problem> {
        if let Some(path) = ready.engine_socket() {
            return Ok(SensorSocket::Engines(path.to_owned()));
        }
        let access = match self.config.engine_access {
            EngineAccess::Direct => Access::Direct,
            EngineAccess::Auto | EngineAccess::Filtered => Access::Filtered,
        };
        let grant = Box::pin(self.grant(source, target, ready)).await?;
        let folder = self.folder();
        let socket = EngineSocket::open(self.services.engine()?, &folder, grant, access);
        let socket = socket.map_err(|source| SocketError::NoSocket { folder, source })?;
        Ok(SensorSocket::Ours(socket))
    }

    /// Collects the images that falconutil may use, with the logins of their registries.
    async fn grant(&self, source: &str, target: &str, ready: &Ready<'_>) -> Result<Grant, Problem> {
        let source_auth = async {
            match ready.source_origin() {
                SourceOrigin::Registry(repository, digest) if repository.at(digest) == source => {
                    self.registry_auth(repository).await
                }
                // The image is in the engine alone, such as the stub of a graft.
                _ => Ok(None),
            }
        };
        let sensor = ready.sensor_origin();
        let sensor_auth = Box::pin(self.registry_auth(sensor));
        let (source_auth, sensor_auth) = tokio::try_join!(Box::pin(source_auth), sensor_auth)?;
        let sensor = sensor.at(&ready.sensor.arm64);
        let image = |name: &str, auth| GrantedImage::new(name, auth).map_err(SocketError::from);
        Ok(Grant {
            source: image(source, source_auth)?,
            sensor: image(&sensor, sensor_auth)?,
            target: image(target, None)?,
        })
    }
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

    /// The requests that were refused, each with the reason.
    pub(super) fn refused(&self) -> Vec<String> {
        match self {
            Self::Ours(socket) => socket.refused(),
            Self::Engines(_) => Vec::new(),
        }
    }
}
