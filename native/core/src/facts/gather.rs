//! Looks at everything at once, and changes nothing.

use std::collections::HashSet;

use super::images::{Images, Platforms};
use super::{
    BuilderFacts, Fact, Facts, Probes, SensorFacts, SourceFacts, SourcePlace, TargetFacts,
};
use crate::builder::{Builder, BuilderName, Buildx};
use crate::config::{Config, Source};
use crate::emulation::{self, Registration};
use crate::engine::EngineFacts;
use crate::error::{Code, Explain, Problem};
use crate::falcon::CustomerId;
use crate::platform::Platform;
use crate::reference::{Digest, ImageName, Repository, Tag};
use crate::services::Services;

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

/// Gathers every fact; what cannot be had becomes a fact of its own.
pub async fn gather(config: &Config, services: &Services) -> Facts {
    let resolve = Resolve {
        config,
        services,
        images: Images::new(config.account.as_deref(), services),
    };
    let (engine, caller, source, sensor, target, customer_id, builder) = tokio::join!(
        services.engine_facts(),
        services.caller(),
        resolve.source(),
        resolve.sensor(),
        resolve.target(),
        resolve.customer_id(),
        resolve.builder()
    );
    let handler = handler(engine.as_ref().ok(), services);
    let in_engine = in_engine(services, source.as_ref().ok(), sensor.as_ref().ok()).await;
    Facts {
        caller,
        engine,
        handler,
        source,
        sensor,
        customer_id,
        target,
        builder,
        in_engine,
        probes: Probes::default(),
    }
}

/// What the kernel registers says nothing when the engine runs under another kernel.
pub(crate) fn handler(engine: Option<&EngineFacts>, services: &Services) -> Registration {
    match engine {
        Some(engine) if engine.is_local && !services.agent().in_container_job => {
            emulation::registered(emulation::BINFMT_MISC.as_ref())
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
    pub(super) config: &'a Config,
    pub(super) services: &'a Services,
    pub(super) images: Images<'a>,
}

impl Resolve<'_> {
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
        Some(self.look_for_builder(self.config.builder.as_ref()?).await)
    }

    async fn look_for_builder(&self, name: &BuilderName) -> Fact<BuilderFacts> {
        let builder = Builder::of_job(name.clone(), self.services.agent());
        builder.refuse_taken(|name| std::env::var_os(name))?;
        let buildx = Buildx::find(|name| std::env::var_os(name))?;
        Ok(BuilderFacts {
            buildx: buildx.version().await?,
            is_made: builder.is_made(),
        })
    }

    async fn target(&self) -> Fact<TargetFacts> {
        let repository = self.images.repository(&self.config.target).await?;
        let described = self.services.aws().await?.repository(&repository).await;
        let mutability = match described {
            Ok(repository) => Some(repository.tag_mutability),
            // Without the right to describe, the tags can still be asked for, and the push tells the rest.
            Err(error) if error.code() == Code::AwsDenied => None,
            Err(error) => return self.missing_target(repository, error.into()),
        };
        match self.tags(&repository).await {
            Ok(existing) => Ok(TargetFacts {
                existing,
                mutability,
                repository,
                is_missing: false,
            }),
            Err(problem) => self.missing_target(repository, problem),
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

    /// Which of the wanted tags exist.
    async fn tags(&self, repository: &Repository) -> Fact<Vec<(Tag, Digest)>> {
        let registry = self.services.registry().await?;
        let tags = std::iter::once(&self.config.target_tag).chain(&self.config.additional_tags);
        let asked = tags.map(|tag| async {
            Ok::<_, Problem>((tag.clone(), registry.digest_of(repository, tag).await?))
        });
        let found: Vec<(Tag, Option<Digest>)> = futures_util::future::try_join_all(asked).await?;
        Ok(found
            .into_iter()
            .filter_map(|(tag, digest)| Some((tag, digest?)))
            .collect())
    }
}
