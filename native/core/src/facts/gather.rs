//! Looks at everything at once, and changes nothing.

use std::collections::HashSet;

use super::{Fact, Facts, Probes, SensorFacts, SourceFacts, SourcePlace, TargetFacts};
use crate::config::{Config, Source};
use crate::emulation::{self, Registration};
use crate::engine::EngineFacts;
use crate::error::{Code, Explain, Problem};
use crate::falcon::CustomerId;
use crate::platform::Platform;
use crate::reference::{Digest, EcrHost, ImageName, Repository, Tag};
use crate::registry::{ManifestReference, ResolvedImage};
use crate::services::Services;

/// What goes wrong with an image beside the requests themselves.
#[derive(Debug, thiserror::Error)]
enum ImageError {
    #[error("No region is known for `{name}`")]
    RegionMissing { name: ImageName },
    #[error("The {role} image `{name}` is not for linux/arm64")]
    PlatformMissing {
        role: &'static str,
        name: String,
        #[source]
        why: Platforms,
    },
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

/// The platforms that an image has, as the reason why another is missing.
#[derive(Debug, thiserror::Error)]
#[error("it is for {0}")]
struct Platforms(String);

impl Platforms {
    fn of<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> Self {
        let names: Vec<String> = platforms.into_iter().map(ToString::to_string).collect();
        Self(if names.is_empty() {
            "no platform that its index names".to_owned()
        } else {
            names.join(", ")
        })
    }
}

impl Explain for ImageError {
    fn code(&self) -> Code {
        match self {
            Self::RegionMissing { .. } => Code::InputMissing,
            Self::PlatformMissing { role: "source", .. } => Code::RegistryPlatformMissing,
            Self::PlatformMissing { .. } => Code::FalconSensorPlatformMissing,
            Self::NotInEngine { .. } => Code::EngineImageNotFound,
            Self::Ambiguous { .. } => Code::EngineImageAmbiguous,
            Self::EnginePlatform { .. } => Code::EnginePlatformMissing,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::RegionMissing { .. } => "Set `awsRegion`, or write the image with its registry, as in `123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web:1.4.2`",
            Self::PlatformMissing { role: "source", .. } => "Build the image for ARM64, for instance with `docker buildx build --platform linux/arm64 --push`",
            Self::PlatformMissing { .. } => "Take a sensor image of version 7.33 or later, which is multi-architecture, and copy all of it: `crane copy` or `skopeo copy --all`",
            Self::NotInEngine { .. } => "Name the image as `docker image ls` does, or set `sourceLocation: registry`",
            Self::Ambiguous { .. } => "Push the image and set `sourceLocation: registry`, or build it with `--platform linux/arm64` alone",
            Self::EnginePlatform { .. } => "Build the image with `--platform linux/arm64`",
        }.to_owned())
    }
}

/// Gathers every fact; what cannot be had becomes a fact of its own.
pub async fn gather(config: &Config, services: &Services) -> Facts {
    let resolve = Resolve { config, services };
    let (engine, caller, source, sensor, target, customer_id) = tokio::join!(
        services.engine_facts(),
        services.caller(),
        resolve.source(),
        resolve.sensor(),
        resolve.target(),
        resolve.customer_id()
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
        repository, digest, ..
    }) = source.map(|source| &source.place)
    {
        wanted.push((repository, digest));
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
}

impl Resolve<'_> {
    async fn source(&self) -> Fact<SourceFacts> {
        match &self.config.source {
            Source::Registry(name) => self.registry_source(name).await,
            Source::Engine(name) => self.engine_source(name).await,
        }
    }

    async fn registry_source(&self, name: &ImageName) -> Fact<SourceFacts> {
        let repository = self.repository(name).await?;
        let resolved = self.resolve(&repository, name).await?;
        let shown = shown(&repository, name);
        let digest = digest_for(&resolved, &Platform::linux_arm64())
            .ok_or_else(|| missing("source", &shown, &resolved))?;
        let image = self
            .services
            .registry()
            .await?
            .image(&repository, &digest)
            .await?;
        Ok(SourceFacts {
            name: shown,
            config: image.runtime_config().clone(),
            diff_ids: image.diff_ids(),
            bytes: Some(image.layers_size()),
            place: SourcePlace::Registry {
                repository,
                digest,
                from_index: resolved.is_index,
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

    async fn target(&self) -> Fact<TargetFacts> {
        let repository = self.repository(&self.config.target).await?;
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

    /// The repository of an image, in the registry that it is typed with or that the account has in the region.
    pub(super) async fn repository(&self, name: &ImageName) -> Fact<Repository> {
        let registry = if let Some(registry) = &name.registry {
            registry.clone()
        } else {
            let region = self.services.aws().await?.region().map(str::to_owned);
            let region = region.ok_or_else(|| ImageError::RegionMissing { name: name.clone() })?;
            match &self.config.account {
                Some(account) => EcrHost::name(account, &region),
                None => EcrHost::name(&self.services.caller().await?.account, &region),
            }
        };
        Ok(Repository::new(&registry, &name.repository))
    }

    pub(super) async fn resolve(
        &self,
        repository: &Repository,
        name: &ImageName,
    ) -> Fact<ResolvedImage> {
        let reference = match (&name.digest, &name.tag) {
            (Some(digest), _) => ManifestReference::Digest(digest.clone()),
            (None, Some(tag)) => ManifestReference::Tag(tag.clone()),
            (None, None) => {
                unreachable!("the configuration holds no reference without tag and digest")
            }
        };
        Ok(self
            .services
            .registry()
            .await?
            .resolve(repository, &reference)
            .await?)
    }
}

pub(super) fn digest_for(resolved: &ResolvedImage, platform: &Platform) -> Option<Digest> {
    resolved
        .manifest_for(platform)
        .map(|manifest| manifest.digest.clone())
}

pub(super) fn missing(role: &'static str, name: &str, resolved: &ResolvedImage) -> Problem {
    let why = Platforms::of(resolved.platforms.iter().map(|manifest| &manifest.platform));
    ImageError::PlatformMissing {
        role,
        name: name.to_owned(),
        why,
    }
    .into()
}

/// The name with its registry, as a user would write it in full.
pub(super) fn shown(repository: &Repository, name: &ImageName) -> String {
    let full = ImageName {
        registry: Some(repository.registry.clone()),
        ..name.clone()
    };
    full.to_string()
}
