use std::sync::{Arc, LazyLock};

use serde_json::Value;

use crate::domain::image::proof::Evidence;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;

/// The image to patch.
#[derive(Clone, Debug)]
pub struct SourceFacts {
    /// The image as the user named it, registry included.
    pub name: String,
    /// Its place.
    pub place: SourcePlace,
    /// Its configuration's `config` object, of which a patch may change the entrypoint and the environment only.
    pub config: Value,
    /// The digests of its layers, uncompressed.
    pub diff_ids: Vec<String>,
    /// Compressed bytes of its layers, as far as known.
    pub bytes: Option<u64>,
}

/// The place of the source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SourcePlace {
    /// In a registry.
    Registry {
        /// The repository.
        repository: Repository,
        /// The ARM64 image, whose digest names the source from here on.
        image: Arc<RegistryImage>,
        /// True if the user's reference names an index, of which only the ARM64 image is patched.
        from_index: bool,
    },
    /// In the engine.
    Engine {
        /// The image's ID.
        id: String,
    },
}

/// The place from which the engine gets the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceOrigin<'a> {
    /// A registry, its own or the one that it is staged in.
    Registry(&'a Repository, &'a Digest),
    /// The engine itself has it, under this ID.
    Engine(&'a str),
}

/// The platform of every source and of every patched image.
static ARM64: LazyLock<Platform> = LazyLock::new(Platform::linux_arm64);

impl SourceFacts {
    /// The source as a proof sees it; one for another platform is not among the facts.
    #[must_use]
    pub fn evidence(&self) -> Evidence<'_> {
        Evidence {
            platform: &ARM64,
            diff_ids: &self.diff_ids,
            config: &self.config,
        }
    }

    /// The source's ARM64 manifest digest; none for an image of the engine.
    #[must_use]
    pub fn digest(&self) -> Option<&Digest> {
        match &self.place {
            SourcePlace::Registry { image, .. } => Some(&image.digest),
            SourcePlace::Engine { .. } => None,
        }
    }
}
