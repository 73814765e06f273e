//! Gathers facts in two passes, and changes nothing.

use std::collections::HashSet;

use super::images::{Images, Platforms};
use super::target::Now;
use super::{builder, ecs};
use crate::adapters::binfmt;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::domain::emulation::Registration;
use crate::domain::engine::EngineFacts;
use crate::domain::falcon::customer_id::CustomerId;
use crate::domain::image::tag_mutability::TagMutability;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::{PatchConfig, Source};
use crate::flow::facts::builder::BuilderFacts;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::patch::Facts;
use crate::flow::facts::probes::Probes;
use crate::flow::facts::sensor::SensorFacts;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::facts::target::TargetFacts;
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// What is wrong with an image of the engine.
#[derive(Debug, thiserror::Error)]
enum ImageError {
    #[error("The engine has no image `{name}`")]
    NotInEngine { name: String },
    #[error(
        "The engine's image `{name}` is for several platforms, and one that is in no registry cannot be patched for another than the engine's"
    )]
    Ambiguous {
        name: String,
        #[source]
        why: Platforms,
    },
    #[error("The engine's image `{name}` is not for linux/arm64")]
    EnginePlatform {
        name: String,
        #[source]
        why: Platforms,
    },
}

impl Explain for ImageError {
    fn code(&self) -> Code {
        match self {
            Self::NotInEngine { .. } => Code::EngineImageNotFound,
            Self::Ambiguous { .. } => Code::EngineImageAmbiguous,
            Self::EnginePlatform { .. } => Code::EnginePlatformMissing,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotInEngine { .. } => "Name the image as `docker image ls` does, or set `sourceLocation: registry`",
            Self::Ambiguous { .. } => "Push the image and set `sourceLocation: registry`, or build it with `--platform linux/arm64` alone",
            Self::EnginePlatform { .. } => "Build the image with `--platform linux/arm64`",
        }.to_owned())
    }
}

/// Gathers the facts that show whether anything is to be changed; a look-up that fails is a fact too.
pub async fn first(config: &PatchConfig, services: &Services) -> Facts {
    let resolve = Resolve::new(config, services);
    let (engine, source, sensor, target, customer_id, task_definition, builder) = tokio::join!(
        services.engine_facts(),
        resolve.source(),
        resolve.sensor(),
        resolve.target(),
        resolve.customer_id(),
        resolve.task_definition(),
        resolve.builder()
    );
    Facts {
        caller: None,
        handler: handler(engine.as_ref().ok(), services),
        engine,
        source,
        sensor,
        customer_id,
        target,
        task_definition,
        builder,
        staged: None,
        in_engine: HashSet::new(),
        probes: Probes::default(),
    }
}

/// Adds the facts that only matter where something is to be changed.
pub async fn rest(config: &PatchConfig, services: &Services, facts: &mut Facts) {
    let resolve = Resolve::new(config, services);
    Box::pin(resolve.complete(facts)).await;
}

/// What the kernel registers says nothing when the engine runs under another kernel.
pub fn handler(engine: Option<&EngineFacts>, services: &Services) -> Registration {
    match engine {
        Some(engine) if engine.is_local && !services.agent().in_container_job => {
            binfmt::registered(binfmt::BINFMT_MISC.as_ref())
        }
        _ => Registration::Unknown,
    }
}

/// Which of the images the engine holds already, so that nothing is pulled for them and nothing removed.
async fn in_engine(
    services: &Services,
    source: Option<&SourceFacts>,
    sensor: Option<&SensorFacts>,
) -> HashSet<Digest> {
    let Ok(engine) = services.engine() else {
        return HashSet::new();
    };
    let mut wanted: Vec<(&Repository, &Digest)> = Vec::new();
    if let Some(SourcePlace::Registry {
        repository, image, ..
    }) = source.map(|source| &source.place)
    {
        wanted.push((repository, &image.digest));
    }
    if let Some(sensor) = sensor {
        wanted.extend(
            [Some(&sensor.arm64), sensor.native.as_ref()]
                .into_iter()
                .flatten()
                .map(|digest| (&sensor.repository, digest)),
        );
    }
    let looked = wanted.into_iter().map(|(repository, digest)| async move {
        matches!(engine.image(&repository.at(digest)).await, Ok(Some(_))).then(|| digest.clone())
    });
    futures_util::future::join_all(looked)
        .await
        .into_iter()
        .flatten()
        .collect()
}

/// What the look-up of one image needs.
pub(super) struct Resolve<'a> {
    pub(super) config: &'a PatchConfig,
    pub(super) services: &'a Services,
    pub(super) images: Images<'a>,
}

impl<'a> Resolve<'a> {
    fn new(config: &'a PatchConfig, services: &'a Services) -> Self {
        Self {
            config,
            services,
            images: Images::new(config.account.as_deref(), services),
        }
    }

    async fn source(&self) -> Fact<SourceFacts> {
        match &self.config.source {
            Source::Registry(name) => self.registry_source(name).await,
            Source::Engine(name) => self.engine_source(name).await,
        }
    }

    async fn registry_source(&self, name: &ImageName) -> Fact<SourceFacts> {
        let found = self.images.find("source", name).await?;
        Ok(SourceFacts {
            name: found.name,
            config: found.image.runtime_config().clone(),
            diff_ids: found.image.diff_ids(),
            bytes: Some(found.image.layers_size()),
            place: SourcePlace::Registry {
                repository: found.repository,
                image: found.image,
                from_index: found.from_index,
            },
        })
    }

    async fn engine_source(&self, name: &str) -> Fact<SourceFacts> {
        let found = self.services.engine()?.image(name).await?;
        let image = found.ok_or_else(|| ImageError::NotInEngine {
            name: name.to_owned(),
        })?;
        let why = Platforms::of(&image.platforms);
        let name = name.to_owned();
        match image.platforms.as_slice() {
            [only] if *only == Platform::linux_arm64() => {}
            [_] | [] => return Err(ImageError::EnginePlatform { name, why }.into()),
            _ => return Err(ImageError::Ambiguous { name, why }.into()),
        }
        Ok(SourceFacts {
            name,
            place: SourcePlace::Engine { id: image.id },
            config: image.config,
            diff_ids: image.diff_ids,
            bytes: None,
        })
    }

    async fn customer_id(&self) -> Fact<CustomerId> {
        match &self.config.falcon.customer_id {
            Some(id) => Ok(id.clone()),
            None => self.services.tenant().customer_id().await,
        }
    }

    async fn builder(&self) -> Option<Fact<BuilderFacts>> {
        Some(builder::look(self.config.builder.as_ref()?, self.services.agent()).await)
    }

    async fn task_definition(&self) -> Option<Fact<TaskDefinition>> {
        let container = self.config.falcon.container_name.as_deref();
        let file = self.config.task_definition.as_ref()?;
        Some(ecs::look(file, container).await)
    }

    async fn target(&self) -> Fact<TargetFacts> {
        let repository = self.images.repository(&self.config.target).await?;
        let registry = self.services.registry().await?;
        let now = Now {
            config: self.config,
            registry,
            repository: &repository,
        };
        match tokio::try_join!(now.target_tag(), now.other_tags()) {
            Ok(((named, current), mut existing)) => {
                let named = named.map(|digest| (self.config.target_tag.clone(), digest));
                existing.splice(0..0, named);
                Ok(TargetFacts {
                    existing,
                    current,
                    mutability: None,
                    repository,
                    is_missing: false,
                })
            }
            Err(problem) => self.missing_target(repository, problem),
        }
    }

    /// What only matters when something is to be changed.
    async fn complete(&self, facts: &mut Facts) {
        let (caller, mutability, in_engine) = tokio::join!(
            self.services.caller(),
            self.mutability(facts.target.as_ref().ok()),
            in_engine(
                self.services,
                facts.source.as_ref().ok(),
                facts.sensor.as_ref().ok()
            )
        );
        facts.caller = Some(caller);
        facts.in_engine = in_engine;
        match (&mut facts.target, mutability) {
            (Ok(target), Ok(mutability)) => target.mutability = mutability,
            (Ok(_), Err(problem)) => facts.target = Err(problem),
            (Err(_), _) => {}
        }
    }

    /// Whether the target's tags can be overwritten; not known without the right to ask, and then the push tells.
    async fn mutability(&self, target: Option<&TargetFacts>) -> Fact<Option<TagMutability>> {
        let Some(target) = target.filter(|target| !target.is_missing) else {
            return Ok(None);
        };
        let aws = self.services.aws().await?;
        match aws.repository(&target.repository).await {
            Ok(repository) => Ok(Some(repository.tag_mutability)),
            Err(error) if error.code() == Code::AwsDenied => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// A target whose repository is missing, where it may be created; otherwise the problem.
    fn missing_target(&self, repository: Repository, mut problem: Problem) -> Fact<TargetFacts> {
        if problem.code != Code::EcrRepositoryNotFound {
            return Err(problem);
        }
        if self.config.create_repository {
            return Ok(TargetFacts {
                existing: Vec::new(),
                current: None,
                mutability: None,
                repository,
                is_missing: true,
            });
        }
        if let Some(hint) = &mut problem.hint {
            hint.push_str("; with `createRepository: true` the task creates it");
        }
        Err(problem)
    }
}
