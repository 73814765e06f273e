use super::context::Run;
use super::step_outcome::StepOutcome;
use super::transfer::Direction;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::effect::Effect;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

/// A push that the engine reports as done and that the registry does not confirm.
#[derive(Debug, thiserror::Error)]
enum PushError {
    #[error("The registry has no `{reference}` after the push")]
    Lost { reference: String },
    #[error("`{reference}` names {seen} after {pushed} was pushed")]
    Overtaken {
        reference: String,
        seen: Digest,
        pushed: Digest,
    },
}

impl Explain for PushError {
    fn code(&self) -> Code {
        match self {
            Self::Lost { .. } | Self::Overtaken { .. } => Code::RegistryAnswerInvalid,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Lost { .. } => "Run the step again; if a lifecycle policy of the repository removes images at once, correct it",
            Self::Overtaken { .. } => "Another run pushes the same tag: give each pipeline run a tag of its own",
        }.to_owned())
    }
}

impl Run {
    pub(super) async fn push(
        &self,
        repository: &Repository,
        tag: &Tag,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let engine = self.services.engine()?;
        let patched = self.patched_image().await?;
        let reference = repository.tagged(tag);
        if self.config.keep_local_images {
            self.effects.add(Effect::ImageKept {
                name: reference.clone(),
            });
        } else {
            self.borrow_target_name(&reference, repository, tag, &patched.id)
                .await?;
        }
        engine
            .tag(&patched.id, &repository.to_string(), tag.as_str())
            .await?;
        let begun = Effect::PushInterrupted {
            repository: repository.clone(),
            tag: tag.clone(),
        };
        self.effects.begin(&begun);
        let digest = self
            .transfer(repository, Direction::Push(tag), events)
            .await?;
        let registry = self.services.registry().await?;
        let seen = registry
            .digest_of(repository, tag)
            .await?
            .ok_or(PushError::Lost {
                reference: reference.clone(),
            })?;
        if let Some(pushed) = digest.filter(|pushed| *pushed != seen) {
            return Err(PushError::Overtaken {
                reference,
                seen,
                pushed,
            }
            .into());
        }
        let pushed = Effect::TagPushed {
            repository: repository.clone(),
            tag: tag.clone(),
            digest: seen.clone(),
        };
        self.effects.complete(&begun, pushed);
        events.note(format!("pushed as {seen}"));
        Ok(StepOutcome::Pushed(seen))
    }
}
