use std::sync::{Mutex, PoisonError};

use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;

/// The lasting changes of a run. They are shared, because a run that is stopped reports them too.
#[derive(Debug, Default)]
pub(super) struct Effects(Mutex<Vec<Effect>>);

impl Effects {
    /// Records a change that is complete.
    pub(super) fn add(&self, effect: Effect) {
        self.with(|effects| effects.push(effect));
    }

    /// Records that a change may happen from now on: before the request for it is sent.
    ///
    /// It stays unless [`complete`](Self::complete) or [`withdraw`](Self::withdraw) replaces it, so a request whose
    /// answer never comes is reported as one that may have been carried out.
    pub(super) fn begin(&self, begun: &Effect) {
        self.add(begun.clone());
    }

    /// Removes a change that had begun, because the answer says that it did not happen.
    pub(super) fn withdraw(&self, begun: &Effect) {
        self.with(|effects| effects.retain(|effect| effect != begun));
    }

    /// Replaces a change that had begun, if it is there, by the complete one.
    pub(super) fn complete(&self, begun: &Effect, complete: Effect) {
        self.with(|effects| {
            effects.retain(|effect| effect != begun);
            effects.push(complete);
        });
    }

    /// Returns all changes at the end of a run. An image that has a tag, or may have one, is named with it alone.
    pub(super) fn into_inner(self) -> Vec<Effect> {
        let mut effects = self.0.into_inner().unwrap_or_else(PoisonError::into_inner);
        let tagged: Vec<(Repository, Digest)> = effects.iter().filter_map(tagged).collect();
        effects.retain(|effect| match effect {
            Effect::ManifestPushed { repository, digest } => {
                !tagged.contains(&(repository.clone(), digest.clone()))
            }
            _ => true,
        });
        effects
    }

    fn with(&self, change: impl FnOnce(&mut Vec<Effect>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// The image that a tag names, or may name.
fn tagged(effect: &Effect) -> Option<(Repository, Digest)> {
    match effect {
        Effect::TagPushed {
            repository, digest, ..
        }
        | Effect::TagBegun {
            repository, digest, ..
        } => Some((repository.clone(), digest.clone())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Effects;
    use crate::domain::reference::digest::Digest;
    use crate::domain::reference::repository::Repository;
    use crate::domain::reference::tag::Tag;
    use crate::flow::effect::Effect;

    fn begun(tag: &str) -> Effect {
        Effect::TagBegun {
            repository: Repository::new("registry.example", "app/web"),
            tag: tag.parse().expect("a tag"),
            digest: Digest::of(tag.as_bytes()),
        }
    }

    fn pushed(tag: &str) -> Effect {
        let tag: Tag = tag.parse().expect("a tag");
        Effect::TagPushed {
            repository: Repository::new("registry.example", "app/web"),
            digest: Digest::of(tag.as_str().as_bytes()),
            tag,
            replaced: None,
        }
    }

    #[test]
    fn a_complete_change_replaces_its_beginning_and_no_other() {
        let effects = Effects::default();
        effects.begin(&begun("1"));
        effects.begin(&begun("2"));
        effects.complete(&begun("1"), pushed("1"));
        effects.complete(&begun("3"), pushed("3"));
        let expected = [begun("2"), pushed("1"), pushed("3")];
        assert_eq!(effects.into_inner(), expected);
    }
    #[test]
    fn an_image_counts_as_untagged_only_while_no_tag_was_sent_for_it() {
        let repository = Repository::new("registry.example", "app/web");
        let untagged = |name: &str| Effect::ManifestPushed {
            repository: repository.clone(),
            digest: Digest::of(name.as_bytes()),
        };
        let effects = Effects::default();
        for name in ["1", "2", "3"] {
            effects.add(untagged(name));
        }
        effects.add(pushed("1"));
        effects.begin(&begun("2"));
        effects.begin(&begun("3"));
        effects.withdraw(&begun("3"));
        assert_eq!(
            effects.into_inner(),
            [untagged("3"), pushed("1"), begun("2")]
        );
    }
}
