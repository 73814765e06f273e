//! The lab of the engine tests, and its images.

use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use anyhow::{Context as _, Result, ensure};
use falcon_patch_core::{
    Digest, Engine, EngineSettings, Event, Events, RegistryAuth, Repository, Secret, StepEvents,
};

/// The lab as its environment describes it.
pub struct Lab {
    /// Its engine.
    pub engine: Engine,
    /// The host of its registry.
    pub registry: String,
}

impl Lab {
    /// Takes the lab from the environment that `lab.sh` makes.
    pub fn enter() -> Result<Self> {
        let registry = std::env::var("LAB_REGISTRY").context(
            "this test needs the lab: tests/lab/lab.sh --store overlay2 -- cargo test --package falcon-patch-engine-tests",
        )?;
        let settings = EngineSettings {
            docker_host: Some("unix:///run/docker.sock".to_owned()),
            ..EngineSettings::default()
        };
        let engine = Engine::connect(&settings)?;
        Ok(Self { engine, registry })
    }

    /// A repository of the lab's registry.
    #[must_use]
    pub fn repository(&self, name: &str) -> Repository {
        Repository {
            registry: self.registry.clone(),
            name: name.to_owned(),
        }
    }

    /// The engine's major version; 28 is the first with API 1.48, which lists all platforms of an image.
    pub async fn major_version(&self) -> Result<u32> {
        let version = self.engine.facts().await?.version;
        let major = version.split('.').next().unwrap_or_default();
        Ok(major.parse()?)
    }

    /// The sign-in that the registry takes.
    #[must_use]
    pub fn auth(&self) -> RegistryAuth {
        self.auth_with("123456789012-auth-token")
    }

    /// A sign-in with another password.
    #[must_use]
    pub fn auth_with(&self, password: &str) -> RegistryAuth {
        RegistryAuth {
            username: Some("AWS".to_owned()),
            password: Secret::new(password),
            registry: self.registry.clone(),
        }
    }

    /// Pulls an image of the lab's registry and gives its reference in the engine.
    pub async fn pulled(&self, name: &str, tag: &str) -> Result<String> {
        let (repository, digest) = (self.repository(name), digest(name, tag)?);
        let events = Events::silent().of_step(1);
        let auth = self.auth();
        self.engine
            .pull(&repository, &digest, Some(&auth), &events)
            .await?;
        Ok(repository.at(&digest))
    }
}

/// The digest of an image's ARM64 manifest, asked of the registry behind the one that wants a sign-in.
pub fn digest(name: &str, tag: &str) -> Result<Digest> {
    let reference = format!("127.0.0.1:5001/{name}:{tag}");
    let text = command(
        "crane",
        &["digest", "--platform", "linux/arm64", &reference],
    )?;
    Ok(text.parse()?)
}

/// Runs a program of the lab and gives what it writes.
pub fn command(program: &str, arguments: &[&str]) -> Result<String> {
    let output = Command::new(program).args(arguments).output()?;
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    ensure!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        text(&output.stderr)
    );
    Ok(text(&output.stdout))
}

/// Events of a step, and a look at those that came so far.
pub fn recorded() -> (StepEvents, impl Fn() -> Vec<Event>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let sink = Arc::clone(&seen);
    let events = Events::new(move |event| locked(&sink).push(event));
    (events.of_step(1), move || locked(&seen).clone())
}

fn locked(events: &Mutex<Vec<Event>>) -> MutexGuard<'_, Vec<Event>> {
    events.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Orders something from the front of the lab's registry, such as a fault.
pub fn front(method: &str, path: &str, body: &str) -> Result<()> {
    const ORDER: &str = "const [method, url, body] = process.argv.slice(1); \
        fetch(url, { method, body: body || undefined }).then((answer) => process.exit(answer.ok ? 0 : 1))";
    let address = std::env::var("LAB_FRONT")?;
    command(
        "node",
        &["-e", ORDER, method, &format!("{address}{path}"), body],
    )?;
    Ok(())
}
