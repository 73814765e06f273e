//! Finds out which paths of this machine the engine can mount into its containers.
//!
//! An engine looks the source of a bind mount up in its own file system. Where it runs beside the agent in another
//! container, or on another machine, that is not the agent's.

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bollard::models::{ContainerCreateBody, HostConfig};

use super::client::Engine;
use super::container::spec::{Bind, mount};
use super::error::fault::Fault;
use super::error::reason::Reason;
use crate::domain::engine::{EngineMounts, Mountable};

/// An image that no engine can have: a name below `.invalid` is never pulled.
const NO_IMAGE: &str = "falcon-patch.invalid/none:none";

/// Longest time that one question may take; the engine answers it from its own file system.
const QUESTION: Duration = Duration::from_secs(10);

/// Paths where an engine usually has its socket, on its own side.
const SOCKETS: [&str; 2] = ["/var/run/docker.sock", "/run/docker.sock"];

impl Engine {
    /// Finds out which paths the engine can mount: a folder in `temp`, and its own socket.
    ///
    /// A folder of the same name can exist on both sides, so an empty one with a name of its own is created in `temp`
    /// and removed again.
    pub async fn mounts(&self, temp: &Path) -> EngineMounts {
        let (agent_folder, engine_socket) =
            tokio::join!(self.can_mount_folder_in(temp), self.own_socket());
        EngineMounts {
            agent_folder,
            engine_socket,
        }
    }

    async fn can_mount_folder_in(&self, temp: &Path) -> Mountable {
        let folder = temp.join(format!("falcon-patch-{}", uuid::Uuid::new_v4().simple()));
        if let Err(error) = DirBuilder::new().mode(0o700).create(&folder) {
            let why = format!("no folder can be created in `{}`: {error}", temp.display());
            return Mountable::Unknown(why);
        }
        let removed = Removed(folder);
        self.can_mount(&removed.0).await
    }

    /// The first of the usual paths of the engine's socket that exists on the engine's side.
    async fn own_socket(&self) -> Option<PathBuf> {
        let connected = self.socket().map(Path::to_owned);
        let usual = SOCKETS.into_iter().map(PathBuf::from);
        for path in connected.into_iter().chain(usual) {
            if self.can_mount(&path).await == Mountable::Yes {
                return Some(path);
            }
        }
        None
    }

    /// Asks for a container with a mount and an image that cannot exist. The engine checks the mount first
    /// (`verifyContainerSettings` before the image in moby's `daemon/create.go`), so nothing is created.
    async fn can_mount(&self, path: &Path) -> Mountable {
        let bind = Bind {
            source: path.to_owned(),
            target: "/mnt".to_owned(),
            read_only: true,
        };
        let body = ContainerCreateBody {
            image: Some(NO_IMAGE.to_owned()),
            host_config: Some(HostConfig {
                mounts: Some(vec![mount(&bind)]),
                ..HostConfig::default()
            }),
            ..ContainerCreateBody::default()
        };
        let asked = tokio::time::timeout(QUESTION, self.docker.create_container(None, body)).await;
        let fault = match asked {
            Err(_) => Fault::TimedOut(QUESTION),
            Ok(Err(error)) => Fault::from(error),
            Ok(Ok(created)) => {
                // An image of that name was put there on purpose; the container has not been started.
                return match self.remove_container(&created.id).await {
                    Ok(()) => Mountable::Yes,
                    Err(error) => Mountable::Unknown(error.to_string()),
                };
            }
        };
        let refusal = fault.into_refusal();
        match refusal.reason {
            Reason::NotFound => Mountable::Yes,
            Reason::MountSourceMissing => Mountable::No,
            _ => Mountable::Unknown(refusal.message),
        }
    }
}

/// An empty folder that is removed when this is dropped.
struct Removed(PathBuf);

impl Drop for Removed {
    fn drop(&mut self) {
        // The agent empties its temporary folder after each job.
        let _ = std::fs::remove_dir(&self.0);
    }
}
