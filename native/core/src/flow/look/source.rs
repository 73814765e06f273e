//! Finds the image to patch: in a registry, or in the engine.

use super::images::{Images, Platforms};
use crate::domain::engine::INCOMPLETE;
use crate::domain::platform::Platform;
use crate::domain::reference::image_name::ImageName;
use crate::flow::config::patch::Source;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::source::{SourceFacts, SourcePlace};
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::problem::Explain;

/// A problem with an image of the engine.
#[derive(Debug, thiserror::Error)]
enum EngineImageError {
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
    #[error("The engine has the name of the image `{name}`, but not its content")]
    Incomplete { name: String },
    #[error("The engine's image `{name}` is not for linux/arm64")]
    EnginePlatform {
        name: String,
        #[source]
        why: Platforms,
    },
}

impl Explain for EngineImageError {
    fn code(&self) -> Code {
        match self {
            Self::NotInEngine { .. } => Code::EngineImageNotFound,
            Self::Ambiguous { .. } => Code::EngineImageAmbiguous,
            Self::Incomplete { .. } => Code::EngineImageIncomplete,
            Self::EnginePlatform { .. } => Code::EnginePlatformMissing,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotInEngine { .. } => "Set `sourceImage` to a name that `docker image ls` lists, or set `sourceLocation: registry`",
            Self::Ambiguous { .. } => "Push the image and set `sourceLocation: registry`, or build it with `--platform linux/arm64` alone",
            Self::Incomplete { .. } => INCOMPLETE,
            Self::EnginePlatform { .. } => "Build the image with `--platform linux/arm64`",
        }.to_owned())
    }
}

/// Finds the source.
pub(super) async fn look(
    source: &Source,
    images: &Images<'_>,
    services: &Services,
) -> Fact<SourceFacts> {
    match source {
        Source::Registry(name) => in_registry(name, images).await,
        Source::Engine(name) => in_engine(name, services).await,
    }
}

async fn in_registry(name: &ImageName, images: &Images<'_>) -> Fact<SourceFacts> {
    let found = images.find("source", name).await?;
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

async fn in_engine(name: &str, services: &Services) -> Fact<SourceFacts> {
    let found = services.engine()?.image(name).await?;
    let image = found.ok_or_else(|| EngineImageError::NotInEngine {
        name: name.to_owned(),
    })?;
    let why = Platforms::of(&image.platforms);
    let name = name.to_owned();
    if !image.is_whole {
        return Err(EngineImageError::Incomplete { name }.into());
    }
    match image.platforms.as_slice() {
        [only] if *only == Platform::linux_arm64() => {}
        [_] | [] => return Err(EngineImageError::EnginePlatform { name, why }.into()),
        _ => return Err(EngineImageError::Ambiguous { name, why }.into()),
    }
    Ok(SourceFacts {
        name,
        place: SourcePlace::Engine { id: image.id },
        config: image.config,
        diff_ids: image.diff_ids,
        bytes: None,
    })
}
