use std::sync::{Mutex, PoisonError};

use crate::flow::effect::Effect;

/// The lasting changes of a run. They are shared, because a run that is stopped reports them too.
#[derive(Debug, Default)]
pub(super) struct Effects(Mutex<Vec<Effect>>);

impl Effects {
    /// Records a change that is complete.
    pub(super) fn add(&self, effect: Effect) {
        self.with(|effects| effects.push(effect));
    }

    /// Records a change that has begun and that [`complete`](Self::complete) replaces.
    pub(super) fn begin(&self, begun: &Effect) {
        self.add(begun.clone());
    }

    /// Replaces a change that had begun, if it is there, by the complete one.
    pub(super) fn complete(&self, begun: &Effect, complete: Effect) {
        self.with(|effects| {
            effects.retain(|effect| effect != begun);
            effects.push(complete);
        });
    }

    /// Returns all changes at the end of a run.
    pub(super) fn into_inner(self) -> Vec<Effect> {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    fn with(&self, change: impl FnOnce(&mut Vec<Effect>)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

#[cfg(test)]
mod tests {
    use super::Effects;
    use crate::domain::reference::digest::Digest;
    use crate::domain::reference::repository::Repository;
    use crate::domain::reference::tag::Tag;
    use crate::flow::effect::Effect;

    fn interrupted(tag: &str) -> Effect {
        Effect::PushInterrupted {
            repository: Repository::new("registry.example", "app/web"),
            tag: tag.parse().expect("a tag"),
        }
    }

    fn pushed(tag: &str) -> Effect {
        let tag: Tag = tag.parse().expect("a tag");
        Effect::TagPushed {
            repository: Repository::new("registry.example", "app/web"),
            digest: Digest::of(tag.as_str().as_bytes()),
            tag,
        }
    }

    #[test]
    fn a_complete_change_replaces_its_beginning_and_no_other() {
        let effects = Effects::default();
        effects.begin(&interrupted("1"));
        effects.begin(&interrupted("2"));
        effects.complete(&interrupted("1"), pushed("1"));
        effects.complete(&interrupted("3"), pushed("3"));
        let expected = [interrupted("2"), pushed("1"), pushed("3")];
        assert_eq!(effects.into_inner(), expected);
    }
}
