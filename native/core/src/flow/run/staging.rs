//! A registry in a container of the run, through which the images pass on their way into the engine.
//!
//! falconutil then only sees images of one platform each, in a registry of this machine that asks for no sign-in.

use std::time::{Duration, Instant};

use super::cleanup::Undo;
use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::container::spec::{ContainerSpec, Network};
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::PinnedImage;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::facts::staged::Staged;
use crate::flow::plan::ready::Ready;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

/// The port on which Distribution's registry listens in its container.
const PORT: u16 = 5000;

/// A local registry that cannot be used.
#[derive(Debug, thiserror::Error)]
enum StagingError {
    /// Its container ended.
    #[error("The local registry of `{image}` ended with exit code {exit_code}")]
    Ended {
        /// The image.
        image: String,
        /// The exit code.
        exit_code: i64,
        /// Its last lines.
        #[source]
        why: Cause,
    },
    /// Its container runs, and the registry does not answer.
    #[error("The local registry of `{image}` does not answer")]
    Silent {
        /// The image.
        image: String,
    },
}

impl Explain for StagingError {
    fn code(&self) -> Code {
        Code::EngineStagingFailed
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Ended { .. } => "Set `stagingRegistryImage` to an image of Distribution's registry, such as `registry:2` with its digest, or leave `stagingRegistry` at `none`",
            Self::Silent { .. } => "Run the step on the engine's own machine (in a container job, give it `target: host`), and use an image of Distribution's registry, which listens on port 5000; or leave `stagingRegistry` at `none`",
        }.to_owned())
    }
}

/// The registry starts within a second; an agent under heavy load may need more.
const PATIENCE: Duration = Duration::from_secs(30);

const BETWEEN: Duration = Duration::from_millis(100);

/// The repository of an engine's image in the registry, because the image's own name may not be valid there.
const ENGINE_SOURCE: &str = "source";

static SOURCE: Tag = Tag::literal("source");
static SENSOR: Tag = Tag::literal("sensor");
static NATIVE: Tag = Tag::literal("native");

impl Run {
    /// Starts the registry and copies the images into it, each for one platform.
    pub(super) async fn stage(
        &self,
        image: &PinnedImage,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let (source, sensor) = (ready.source, ready.sensor);
        let registry = self.open_registry(image, events).await?;
        let (source_at, source_digest) = self.stage_source(&registry, source, events).await?;
        let sensor_at = Repository::new(&registry, &sensor.repository.name);
        for (digest, tag) in [
            (Some(&sensor.arm64), &SENSOR),
            (sensor.native.as_ref(), &NATIVE),
        ] {
            if let Some(digest) = digest {
                self.stage_image(&sensor.repository, digest, &sensor_at, tag, events)
                    .await?;
            }
        }
        Ok(StepOutcome::Staged(Staged {
            source: source_at,
            source_digest,
            sensor: sensor_at,
        }))
    }

    /// Starts the registry, and returns its host and port once it answers.
    async fn open_registry(
        &self,
        image: &PinnedImage,
        events: &StepEvents,
    ) -> Result<String, Problem> {
        let engine = self.services.engine()?;
        let reference = image.repository.at(&image.digest);
        if !engine.holds(&reference).await? {
            self.pull_pinned(image, events).await?;
        }
        let variables = [
            ("REGISTRY_HTTP_ADDR", format!(":{PORT}")),
            // Since 3.0 it looks for a collector of traces by default, and logs errors.
            ("OTEL_TRACES_EXPORTER", "none".to_owned()),
        ];
        let spec = ContainerSpec {
            network: Network::Default,
            env: variables
                .map(|(name, value)| (name.to_owned(), value))
                .to_vec(),
            ..self.container("registry", reference, self.engine_platform().await?)
        };
        self.cleanup.push(Undo::Container(spec.name.clone()));
        engine.serve(&spec, PORT).await?;
        let registry = self.await_registry(&spec).await?;
        events.note(format!("{registry} answers, to this machine alone"));
        Ok(registry)
    }

    /// Waits until the registry answers, and returns its host and port.
    async fn await_registry(&self, spec: &ContainerSpec) -> Result<String, Problem> {
        let engine = self.services.engine()?;
        let client = self.services.registry().await?;
        let image = || spec.image.clone();
        let started = Instant::now();
        loop {
            if let Some(port) = engine.published(spec, PORT).await? {
                let registry = format!("127.0.0.1:{port}");
                self.services
                    .credentials()
                    .await?
                    .need_none(&registry)
                    .await;
                let any = Repository::new(&registry, ENGINE_SOURCE);
                if client.answers(&any).await {
                    return Ok(registry);
                }
            }
            if let Some(end) = engine.ended(spec).await? {
                let why = Cause::said(&end.last_lines.join("\n"));
                let (image, exit_code) = (image(), end.exit_code);
                return Err(StagingError::Ended {
                    image,
                    exit_code,
                    why,
                }
                .into());
            }
            if started.elapsed() > PATIENCE {
                return Err(StagingError::Silent { image: image() }.into());
            }
            tokio::time::sleep(BETWEEN).await;
        }
    }

    async fn stage_source(
        &self,
        registry: &str,
        source: &SourceFacts,
        events: &StepEvents,
    ) -> Result<(Repository, Digest), Problem> {
        match &source.place {
            SourcePlace::Registry {
                repository, image, ..
            } => {
                let to = Repository::new(registry, &repository.name);
                self.stage_image(repository, &image.digest, &to, &SOURCE, events)
                    .await?;
                Ok((to, image.digest.clone()))
            }
            SourcePlace::Engine { id } => {
                let to = Repository::new(registry, ENGINE_SOURCE);
                let digest = self.upload_source(id, &to, events).await?;
                Ok((to, digest))
            }
        }
    }

    /// Copies the image of one platform from registry to registry, byte for byte.
    async fn stage_image(
        &self,
        from: &Repository,
        digest: &Digest,
        to: &Repository,
        tag: &Tag,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let client = self.services.registry().await?;
        let progress = |current, total| events.progress(current, Some(total));
        client.copy(from, digest, to, tag, &progress).await?;
        events.note(format!("{} is staged", to.at(digest)));
        Ok(())
    }

    /// Uploads an image that only the engine has.
    async fn upload_source(
        &self,
        id: &str,
        to: &Repository,
        events: &StepEvents,
    ) -> Result<Digest, Problem> {
        let (image, layers) = self.export_source(id, &self.spool()?, events).await?;
        let uploads = layers.uploads(&image);
        let client = self.services.registry().await?;
        let progress = |current, total| events.progress(current, Some(total));
        client.upload_all(to, &uploads, &progress).await?;
        let config = &image.config_descriptor.media_type;
        client.put_bytes(to, config, &image.config_bytes).await?;
        client.put_by_digest(to, &image.manifest).await?;
        events.note(format!("{} is staged", to.at(&image.digest)));
        Ok(image.digest.clone())
    }
}
