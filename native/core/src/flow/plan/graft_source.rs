//! Finds what rules out a graft before falconutil has run.

use std::sync::Arc;

use crate::domain::graft::obstacle::Obstacle;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::repository::Repository;
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
