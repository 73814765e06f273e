//! A use of each request to an engine, as a run makes it.

use std::time::Duration;

use super::request::EngineRequest;
use crate::adapters::engine::client::Engine;
use crate::adapters::engine::container::spec::{ContainerSpec, Network};
use crate::adapters::engine::error::failure::EngineError;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::event::Events;

const NAME: &str = "falcon-patch-1";

const IMAGE: &str = "registry.example/app/web:1.4";

/// Sends a request of a kind, with those around it, and cleans up as a run does.
pub(super) async fn drive(kind: EngineRequest, engine: &Engine) -> Result<(), EngineError> {
    use EngineRequest as E;
    match kind {
        E::Version | E::Info => engine.facts().await.map(drop),
        E::InspectImage => engine.image(IMAGE).await.map(drop),
        E::History => engine.history(IMAGE).await.map(drop),
        E::TagImage => engine.tag(IMAGE, "registry.example/app/web", "2").await,
        E::RemoveImage => engine.remove_image(IMAGE).await.map(drop),
        E::RemoveVolume => engine.remove_volume("falcon-patch-1").await.map(drop),
        E::Load => engine.load(vec![0; 1024]).await,
        E::PathStat => engine.link_target(NAME, "/bin").await.map(drop),
        E::Download => export(engine).await,
        E::Pull => pull(engine).await,
        E::MountProbe => {
            let folder = tempfile::tempdir().expect("a folder");
            let _mounts = engine.mounts(folder.path()).await;
            Ok(())
        }
        E::Create | E::Attach | E::Start | E::Wait | E::InspectEnded | E::RemoveContainer => {
            let ended = engine.run(&spec(), &Events::silent().of_step(1)).await;
            clean_up(engine, ended.map(drop)).await
        }
        E::StartService => clean_up(engine, engine.serve(&spec(), 5000).await).await,
        E::InspectService => engine.published(&spec(), 5000).await.map(drop),
        E::Logs => engine.ended(&spec()).await.map(drop),
        E::ListContainers => engine
            .containers_with(&[("falcon-patch.run", "1")])
            .await
            .map(drop),
        E::HasContainer => engine.has_container(NAME).await.map(drop),
    }
}

/// Removes the container whatever has happened, as the cleanup of a run does; its own failure comes second.
async fn clean_up(engine: &Engine, ended: Result<(), EngineError>) -> Result<(), EngineError> {
    let removed = engine.remove_container(NAME).await;
    ended.and(removed)
}

async fn pull(engine: &Engine) -> Result<(), EngineError> {
    let repository = Repository::new("registry.example", "app/web");
    let digest = Digest::of(b"image");
    let events = Events::silent().of_step(1);
    engine.pull(&repository, &digest, None, &events).await
}

async fn export(engine: &Engine) -> Result<(), EngineError> {
    let mut download = engine.export(IMAGE).await?;
    while engine.next_of(&mut download).await?.is_some() {}
    Ok(())
}

fn spec() -> ContainerSpec {
    ContainerSpec {
        name: NAME.to_owned(),
        image: IMAGE.to_owned(),
        platform: Platform::linux_arm64(),
        command: Vec::new(),
        entrypoint: None,
        user: None,
        binds: Vec::new(),
        network: Network::None,
        privileged: false,
        labels: Vec::new(),
        env: Vec::new(),
        limit: Duration::from_secs(2),
    }
}
