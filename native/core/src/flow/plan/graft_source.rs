//! Finds what rules out a graft before falconutil has run.

use std::sync::Arc;

use super::ready::Ready;
use super::target_state::TargetState;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::question::Question;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::provenance::key::Trust;
use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::{GraftCache, PatchConfig, Strategy};
use crate::flow::facts::patch::Facts;
use crate::flow::facts::source::{SourceFacts, SourcePlace};

/// A source that can be grafted, as far as that is known before falconutil has run.
#[derive(Clone, Debug)]
pub struct GraftSource<'a> {
    /// The repository that has its layers.
    pub(crate) repository: &'a Repository,
    /// Its manifest and configuration.
    pub(crate) image: &'a Arc<RegistryImage>,
}

impl<'a> GraftSource<'a> {
    /// Looks for an obstacle to grafting a source.
    ///
    /// # Errors
    /// The first obstacle.
    pub(crate) fn of(source: &'a SourceFacts) -> Result<Self, Obstacle> {
        let SourcePlace::Registry {
            repository, image, ..
        } = &source.place
        else {
            return Err(Obstacle::SourceInEngine);
        };
        let triggers = image.runtime_config()["OnBuild"].as_array();
        if triggers.is_some_and(|triggers| !triggers.is_empty()) {
            return Err(Obstacle::OnBuild);
        }
        Ok(Self { repository, image })
    }
}

/// The question of a run to the graft cache.
#[derive(Clone, Debug)]
pub struct CacheQuestion<'a> {
    /// The target's repository, which has the entries.
    pub repository: &'a Repository,
    /// True if the repository is yet to be created.
    pub is_missing: bool,
    /// The source.
    pub source: &'a RegistryImage,
    /// The options for falconutil.
    pub options: FalconOptions,
    /// The entries that count.
    pub trust: &'a Trust,
    /// The question itself.
    pub question: Question,
}

/// The question to the graft cache; none where the cache is not to be asked, or no graft is possible.
#[must_use]
pub fn cache_question<'a>(
    config: &PatchConfig,
    facts: &'a Facts,
    state: TargetState,
) -> Option<CacheQuestion<'a>> {
    let is_asked = (config.strategy, config.graft_cache) == (Strategy::Graft, GraftCache::Registry);
    if state.keeps_image() || !is_asked {
        return None;
    }
    // A fact that is missing fails the run, with its own reason.
    let ready = Ready::of(config, facts).ok()?;
    let source = GraftSource::of(ready.source).ok()?;
    Some(CacheQuestion {
        trust: ready.trust,
        repository: &ready.target.repository,
        is_missing: ready.target.is_missing,
        source: source.image,
        question: Question::new(&source.image.config, &ready.sensor.arm64, &ready.options),
        options: ready.options,
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::GraftSource;
    use crate::domain::graft::obstacle::Obstacle;
    use crate::domain::image::registry_image::RegistryImage;
    use crate::domain::reference::repository::Repository;
    use crate::flow::facts::source::{SourceFacts, SourcePlace};

    fn source(config: &Value) -> SourceFacts {
        let image = RegistryImage::of(&["sha256:a", "sha256:b"], config);
        SourceFacts {
            name: "registry.example/app/web:1.4.2".to_owned(),
            config: image.runtime_config().clone(),
            diff_ids: image.diff_ids(),
            bytes: Some(image.layers_size()),
            place: SourcePlace::Registry {
                repository: Repository::new("registry.example", "app/web"),
                image: image.into(),
                from_index: false,
            },
        }
    }

    #[test]
    fn triggers_forbid_a_graft_and_their_absence_does_not() {
        for (triggers, forbids) in [
            (json!(null), false),
            (json!([]), false),
            (json!(["RUN make"]), true),
        ] {
            let source = source(&json!({"Cmd": ["web"], "OnBuild": triggers}));
            let obstacle = GraftSource::of(&source).err();
            assert_eq!(obstacle, forbids.then_some(Obstacle::OnBuild), "{triggers}");
        }
    }

    #[test]
    fn an_image_of_the_engine_has_no_manifest_to_graft_on() {
        let mut local = source(&json!({}));
        local.place = SourcePlace::Engine {
            id: "sha256:c".to_owned(),
        };
        let obstacle = GraftSource::of(&local).err();
        assert_eq!(obstacle, Some(Obstacle::SourceInEngine));
    }
}
