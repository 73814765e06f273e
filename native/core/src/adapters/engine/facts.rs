//! Facts about the engine.

use serde_json::Value;

use super::client::Engine;
use super::error::failure::EngineError;
use crate::domain::engine::{EngineFacts, Store};
use crate::domain::platform::Platform;

impl Engine {
    /// Asks the engine what it is, and refuses the kinds that cannot patch.
    pub async fn facts(&self) -> Result<EngineFacts, EngineError> {
        let what = "Cannot ask the Docker Engine what it is";
        let (version, info) = tokio::try_join!(self.wire.get("/version"), self.wire.get("/info"))
            .map_err(|fault| self.failed(what, fault))?;
        self.check_kind(&version, &info)?;
        Ok(EngineFacts {
            version: text(&version, "Version").to_owned(),
            store: store(&info),
            platform: Platform::linux(text(&info, "Architecture")),
            is_local: self.socket().is_some(),
        })
    }

    fn check_kind(&self, version: &Value, info: &Value) -> Result<(), EngineError> {
        let address = self.wire.address().to_string();
        match kind(version, info) {
            Kind::Usual => Ok(()),
            Kind::Podman => Err(EngineError::Podman { address }),
            Kind::Windows => Err(EngineError::WindowsContainers { address }),
            Kind::Rootless => Err(EngineError::Rootless { address }),
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Kind {
    Usual,
    Podman,
    Windows,
    Rootless,
}

/// podman is looked for first: its socket is usually rootless too, but that is not what must be changed.
fn kind(version: &Value, info: &Value) -> Kind {
    let components = version["Components"].as_array();
    let is_podman = |component: &Value| text(component, "Name").starts_with("Podman");
    let options = info["SecurityOptions"].as_array();
    let is_rootless = |option: &Value| option.as_str() == Some("name=rootless");
    if components.is_some_and(|all| all.iter().any(is_podman)) {
        Kind::Podman
    } else if text(info, "OSType") == "windows" {
        Kind::Windows
    } else if options.is_some_and(|all| all.iter().any(is_rootless)) {
        Kind::Rootless
    } else {
        Kind::Usual
    }
}

/// The containerd store shows in the driver's status as a pair `driver-type`, `io.containerd.snapshotter.v1`
/// (<https://docs.docker.com/engine/storage/containerd/>). The version says nothing: an engine that was upgraded
/// keeps the store it had.
fn store(info: &Value) -> Store {
    let status = info["DriverStatus"].as_array();
    let is_snapshotter = |pair: &Value| pair[1].as_str() == Some("io.containerd.snapshotter.v1");
    if status.is_some_and(|pairs| pairs.iter().any(is_snapshotter)) {
        return Store::Containerd;
    }
    match text(info, "Driver") {
        "overlay2" => Store::Overlay2,
        other => Store::Other(other.to_owned()),
    }
}

fn text<'a>(value: &'a Value, field: &str) -> &'a str {
    value[field].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{Kind, kind, store};
    use crate::domain::engine::Store;
    use serde_json::json;

    #[test]
    fn the_store_is_told_by_the_status_of_the_driver() {
        for (info, expected) in [
            (
                json!({"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"], ["Supports d_type", "true"]]}),
                Store::Overlay2,
            ),
            (
                json!({"Driver": "overlayfs", "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}),
                Store::Containerd,
            ),
            (
                json!({"Driver": "btrfs", "DriverStatus": [["Build Version", "Btrfs v4.9.1"]]}),
                Store::Other("btrfs".to_owned()),
            ),
            (
                json!({"Driver": "vfs", "DriverStatus": null}),
                Store::Other("vfs".to_owned()),
            ),
        ] {
            assert_eq!(store(&info), expected, "{info}");
        }
    }

    #[test]
    fn kinds_of_engines_that_cannot_patch() {
        let docker = json!({"Components": [{"Name": "Engine"}, {"Name": "containerd"}]});
        let podman = json!({"Components": [{"Name": "Podman Engine"}, {"Name": "Conmon"}]});
        let plain = json!({"OSType": "linux", "SecurityOptions": ["name=apparmor", "name=seccomp,profile=builtin"]});
        let rootless = json!({"OSType": "linux", "SecurityOptions": ["name=seccomp,profile=builtin", "name=rootless"]});
        let windows = json!({"OSType": "windows", "SecurityOptions": null});
        for (version, info, expected) in [
            (&docker, &plain, Kind::Usual),
            (&docker, &rootless, Kind::Rootless),
            (&docker, &windows, Kind::Windows),
            (&podman, &rootless, Kind::Podman),
        ] {
            assert_eq!(kind(version, info), expected);
        }
    }
}
