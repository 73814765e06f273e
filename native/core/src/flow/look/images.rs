//! Finds images in registries.

use std::sync::Arc;

use crate::domain::image::manifest::{ManifestReference, ResolvedImage};
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::{Repository, naming};
use crate::flow::facts::fact::Fact;
use crate::flow::facts::verify::ImageFacts;
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// A problem with an image of a registry, apart from the requests themselves.
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
}

/// The platforms that an image has, as the reason why another is missing.
#[derive(Debug, thiserror::Error)]
#[error("it is for {0}")]
pub(super) struct Platforms(String);

impl Platforms {
    pub(super) fn of<'a>(platforms: impl IntoIterator<Item = &'a Platform>) -> Self {
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
            Self::PlatformMissing { role: "sensor", .. } => Code::FalconSensorPlatformMissing,
            Self::PlatformMissing { .. } => Code::RegistryPlatformMissing,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::RegionMissing { name } => format!("Set `awsRegion`, or write the image with its registry, as in `123456789012.dkr.ecr.eu-west-1.amazonaws.com/{name}`"),
            Self::PlatformMissing { role: "sensor", name, .. } => format!("Set `sensorImage` to a sensor of version 7.33 or later, which is multi-architecture, and copy all of it: `skopeo copy --all docker://ORIGINAL docker://{name}`"),
            Self::PlatformMissing { role: "target", .. } => "Set `targetImage` to the image that `action: patch` pushed, which is for linux/arm64".to_owned(),
            Self::PlatformMissing { name, .. } => format!("Build the image for ARM64: `docker buildx build --platform linux/arm64 --push --tag {name} .`"),
        })
    }
}

/// The ARM64 image of a registry that a name stands for.
pub(super) struct FoundImage {
    /// The name that the user wrote, with its registry.
    pub(super) name: String,
    pub(super) repository: Repository,
    /// True if the name is an index's.
    pub(super) from_index: bool,
    pub(super) image: Arc<RegistryImage>,
}

impl From<FoundImage> for ImageFacts {
    fn from(found: FoundImage) -> Self {
        Self {
            name: found.name,
            repository: found.repository,
            from_index: found.from_index,
            image: found.image,
        }
    }
}

/// Looks images up.
#[derive(Clone, Copy)]
pub(super) struct Images<'a> {
    account: Option<&'a str>,
    services: &'a Services,
}

impl<'a> Images<'a> {
    /// `account` has the registry of images in short form; none means the caller's.
    pub(super) fn new(account: Option<&'a str>, services: &'a Services) -> Self {
        Self { account, services }
    }

    /// The ARM64 image that a name stands for, which the input of its role has.
    pub(super) async fn find(&self, role: &'static str, name: &ImageName) -> Fact<FoundImage> {
        let found = self.look_up(role, name).await;
        found.map_err(|problem| named_by(input_of(role), problem))
    }

    async fn look_up(&self, role: &'static str, name: &ImageName) -> Fact<FoundImage> {
        let repository = self.repository(name).await?;
        let shown = shown(&repository, name);
        let registry = self.services.registry().await?;
        let arm64 = Platform::linux_arm64();
        let (resolved, image) = registry.find(&repository, &reference(name), &arm64).await?;
        let image = image.ok_or_else(|| missing(role, &shown, &resolved))?;
        Ok(FoundImage {
            name: shown,
            from_index: resolved.is_index,
            repository,
            image: Arc::new(image),
        })
    }

    /// The repository of an image, in the registry that it is typed with or that the account has in the region.
    pub(super) async fn repository(&self, name: &ImageName) -> Fact<Repository> {
        if let Some(registry) = &name.registry {
            return Ok(Repository::new(registry, &name.repository));
        }
        let region = self.services.aws().await?.region().map(str::to_owned);
        let region = region.ok_or_else(|| ImageError::RegionMissing { name: name.clone() })?;
        let registry = match self.account {
            Some(account) => EcrHost::name(account, &region),
            None => EcrHost::name(&self.services.caller().await?.account, &region),
        };
        Ok(Repository::new(&registry, &name.repository))
    }

    pub(super) async fn resolve(
        &self,
        repository: &Repository,
        name: &ImageName,
    ) -> Fact<ResolvedImage> {
        let registry = self.services.registry().await?;
        let arm64 = Platform::linux_arm64();
        Ok(registry
            .resolve(repository, &reference(name), &arm64)
            .await?)
    }
}

/// The input that names the image of a role.
fn input_of(role: &str) -> &'static str {
    match role {
        "sensor" => "sensorImage",
        "target" => "targetImage",
        _ => "sourceImage",
    }
}

/// A problem with the input in its advice, where that is to check the name.
pub(super) fn named_by(input: &str, problem: Problem) -> Problem {
    let hint = problem.hint.map(|hint| naming(input, &hint));
    Problem { hint, ..problem }
}

/// The digest that a name has, with its tag, or else the tag alone.
fn reference(name: &ImageName) -> ManifestReference {
    match (&name.digest, &name.tag) {
        (Some(digest), Some(tag)) => ManifestReference::Pinned(tag.clone(), digest.clone()),
        (Some(digest), None) => ManifestReference::Digest(digest.clone()),
        (None, Some(tag)) => ManifestReference::Tag(tag.clone()),
        (None, None) => {
            unreachable!("the configuration holds no reference without tag and digest")
        }
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
