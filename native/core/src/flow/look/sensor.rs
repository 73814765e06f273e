//! Finds the sensor: as the image that the user names, in CrowdStrike's registry, or in the mirror.

use super::images::{Images, digest_for, missing, named_by, shown};
use crate::adapters::crowdstrike::error::FalconError;
use crate::adapters::crowdstrike::tenant::FalconRegistry;
use crate::domain::falcon::release::VersionChoice;
use crate::domain::falcon::version::sensor_version;
use crate::domain::image::manifest::{ManifestReference, ResolvedImage};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::config::patch::Sensor;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::sensor::{SensorCopy, SensorFacts};
use crate::flow::services::Services;
use crate::report::cause::Cause;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// A sensor that was found.
struct Found {
    /// The repository that has it now.
    repository: Repository,
    image: ImageName,
    resolved: ResolvedImage,
}

/// A look for the sensor image.
#[derive(Clone, Copy)]
pub(super) struct SensorLookup<'a> {
    pub(super) services: &'a Services,
    pub(super) images: &'a Images<'a>,
}

impl SensorLookup<'_> {
    /// Finds the sensor.
    pub(super) async fn look(&self, sensor: &Sensor) -> Fact<SensorFacts> {
        match sensor {
            Sensor::Image(name) => {
                let repository = self.images.repository(name).await?;
                let resolved = self.images.resolve(&repository, name).await;
                let resolved = resolved.map_err(|problem| named_by("sensorImage", problem))?;
                let image = name.clone();
                let found = Found {
                    repository,
                    image,
                    resolved,
                };
                self.sensor_facts(found, None).await
            }
            Sensor::CrowdStrike { version, mirror } => {
                self.crowdstrike_sensor(version, mirror.as_ref()).await
            }
        }
    }

    async fn crowdstrike_sensor(
        &self,
        version: &VersionChoice,
        mirror: Option<&ImageName>,
    ) -> Fact<SensorFacts> {
        let mirror = match mirror {
            Some(name) => Some(self.images.repository(name).await?),
            None => None,
        };
        // An exact version that was copied before needs no request to CrowdStrike.
        if let (Some(mirror), Some(tag)) = (&mirror, version.exact())
            && self.digest(mirror, tag).await?.is_some()
        {
            let found = self.found(mirror, tag).await?;
            return self.sensor_facts(found, None).await;
        }
        let registry = self.services.falcon_registry().await?;
        let of_registry = |problem| FalconError::of_registry(&registry.host, problem);
        let chosen = self.choose(&registry, version).await;
        let (repository, tag) = chosen.map_err(of_registry)?;
        let found = self.found(&repository, &tag).await.map_err(of_registry)?;
        match mirror {
            None => self.sensor_facts(found, None).await,
            Some(mirror) => self.mirrored(found, mirror, tag).await,
        }
    }

    /// The sensor as the mirror has it, or will have it.
    async fn mirrored(&self, found: Found, mirror: Repository, tag: Tag) -> Fact<SensorFacts> {
        let digest = found.resolved.digest.clone();
        let copy = match self.digest(&mirror, &tag).await? {
            Some(there) if there == digest => None,
            Some(there) => {
                let why = format!("it is {there}, and CrowdStrike has {digest}");
                return Err(FalconError::MirrorConflict {
                    image: mirror.tagged(&tag),
                    source: Cause::said(&why),
                }
                .into());
            }
            None => Some(SensorCopy {
                from: found.repository.clone(),
                digest,
                to: mirror.clone(),
                tag,
            }),
        };
        let image = ImageName {
            registry: Some(mirror.registry.clone()),
            repository: mirror.name.clone(),
            ..found.image.clone()
        };
        let mut facts = self.sensor_facts(found, copy).await?;
        facts.name = image.to_string();
        facts.repository = mirror;
        Ok(facts)
    }

    /// Chooses a tag: in the repository of all regions, or else in the region's own, which has what
    /// is older than 7.33.
    async fn choose(
        &self,
        registry: &FalconRegistry,
        version: &VersionChoice,
    ) -> Fact<(Repository, Tag)> {
        let mut all = Vec::new();
        for name in registry.region.repositories() {
            let repository = Repository::new(&registry.host, &name);
            let tags = match self.services.registry().await?.tags(&repository).await {
                Ok(tags) => tags,
                Err(error) => match Problem::from(error) {
                    problem if problem.code == Code::RegistryImageNotFound => continue,
                    problem => return Err(problem),
                },
            };
            if let Some(tag) = version.choose(&tags) {
                return Ok((repository, tag));
            }
            all.extend(tags);
        }
        Err(FalconError::VersionNotFound {
            host: registry.host.clone(),
            wanted: version.to_string(),
            nearest: version.nearest(&all),
        }
        .into())
    }

    async fn found(&self, repository: &Repository, tag: &Tag) -> Fact<Found> {
        let reference = ManifestReference::Tag(tag.clone());
        let registry = self.services.registry().await?;
        Ok(Found {
            resolved: registry
                .resolve(repository, &reference, &Platform::linux_arm64())
                .await?,
            image: ImageName {
                registry: Some(repository.registry.clone()),
                repository: repository.name.clone(),
                tag: Some(tag.clone()),
                digest: None,
            },
            repository: repository.clone(),
        })
    }

    async fn digest(&self, repository: &Repository, tag: &Tag) -> Fact<Option<Digest>> {
        let registry = self.services.registry().await?;
        Ok(registry.digest_of(repository, tag).await?)
    }

    /// The facts about a sensor that was found; one without an ARM64 image is refused.
    async fn sensor_facts(&self, found: Found, copy: Option<SensorCopy>) -> Fact<SensorFacts> {
        let Found {
            repository,
            image,
            resolved,
        } = found;
        let name = shown(&repository, &image);
        let arm64 = digest_for(&resolved, &Platform::linux_arm64())
            .ok_or_else(|| missing("sensor", &name, &resolved))?;
        let by_tag = image.tag.as_ref();
        let mut version = by_tag.and_then(|tag| sensor_version(tag.as_str()));
        if version.is_none() {
            let registry = self.services.registry().await?;
            version = version_by_label(&registry.image(&repository, &arm64).await?);
        }
        Ok(SensorFacts {
            name,
            native: None,
            platforms: resolved.platforms,
            repository,
            arm64,
            version,
            copy,
        })
    }
}

fn version_by_label(image: &RegistryImage) -> Option<String> {
    let config = image.runtime_config();
    let labels = config.get("Labels")?;
    ["org.opencontainers.image.version", "version"]
        .iter()
        .find_map(|name| sensor_version(labels.get(name)?.as_str()?))
}
