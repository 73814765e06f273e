//! Images on their way between registries and the engine.

use std::time::Duration;

use super::cleanup::Undo;
use super::drive::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::registry_auth::{IDENTITY_TOKEN, RegistryAuth};
use crate::adapters::journal::JournalItem;
use crate::adapters::registry::credentials::error::SignInError;
use crate::adapters::registry::error::RegistryError;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::domain::registry_login::SignIn;
use crate::flow::effect::Effect;
use crate::flow::plan::step::Pull;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::{Explain, Problem};

/// The most that each wait before a new try can be; the engine itself tries every layer five times.
const WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

/// What goes wrong with a pushed image beside the requests themselves.
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

/// Which way an image goes.
#[derive(Clone, Copy)]
enum Direction<'a> {
    /// Into the engine, by digest.
    Pull(&'a Digest),
    /// To the registry, under a tag.
    Push(&'a Tag),
}

impl Run {
    pub(super) async fn pull(
        &self,
        pull: &Pull,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        self.pull_by_digest(&pull.repository, &pull.digest, events)
            .await?;
        Ok(StepOutcome::InEngine(pull.digest.clone()))
    }

    /// Brings an image into the engine; unless it is to stay, the journal hears of it first. A name in the local registry
    /// is of no use to anybody after the run, so it goes with it.
    pub(super) async fn pull_by_digest(
        &self,
        repository: &Repository,
        digest: &Digest,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let reference = repository.at(digest);
        if self.is_staging(repository) {
            self.reserve_local_name(reference)?;
        } else if !self.config.keep_local_images {
            self.record(JournalItem::Image { reference })?;
        }
        self.transfer(repository, Direction::Pull(digest), events)
            .await?;
        Ok(())
    }

    pub(super) async fn create_repository(
        &self,
        repository: &Repository,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let aws = self.services.aws().await?;
        let Some(created) = aws.create_repository(repository).await? else {
            events.note("somebody else created it meanwhile");
            return Ok(StepOutcome::Nothing);
        };
        self.state(|state| {
            state.effects.push(Effect::RepositoryCreated {
                repository: repository.clone(),
            });
        });
        events.note(format!("created by the account's defaults: {created}"));
        Ok(StepOutcome::Nothing)
    }

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
            self.state(|state| {
                state.effects.push(Effect::ImageKept {
                    name: reference.clone(),
                });
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
        self.state(|state| state.effects.push(begun.clone()));
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
        self.state(|state| {
            state.effects.retain(|effect| *effect != begun);
            state.effects.push(Effect::TagPushed {
                repository: repository.clone(),
                tag: tag.clone(),
                digest: seen.clone(),
            });
            state.pushed = Some(seen.clone());
        });
        events.note(format!("pushed as {seen}"));
        Ok(StepOutcome::Nothing)
    }

    /// Prepares for giving the target's name to our image for a while: whoever had it gets it back.
    async fn borrow_target_name(
        &self,
        reference: &str,
        repository: &Repository,
        tag: &Tag,
        ours: &str,
    ) -> Result<(), Problem> {
        let former = self.services.engine()?.image(reference).await?;
        if let Some(former) = former.filter(|former| former.id != ours) {
            self.cleanup.push(Undo::Retag {
                image: former.id,
                repository: repository.to_string(),
                tag: tag.to_string(),
            });
            return Ok(());
        }
        self.record(JournalItem::Tag {
            reference: reference.to_owned(),
        })?;
        self.cleanup.push(Undo::Image(reference.to_owned()));
        Ok(())
    }

    /// Has the engine transfer an image: again after a passing trouble, and once with a new sign-in when the old one is refused.
    ///
    /// Returns the digest that the engine reports of a push.
    async fn transfer(
        &self,
        repository: &Repository,
        direction: Direction<'_>,
        events: &StepEvents,
    ) -> Result<Option<Digest>, Problem> {
        let engine = self.services.engine()?;
        let mut sign_in = self.sign_in(repository).await?;
        let mut renewed = false;
        let mut waits = WAITS.into_iter();
        loop {
            let auth = sign_in.clone().map(|sign_in| auth(repository, sign_in));
            let done = match direction {
                Direction::Pull(digest) => engine
                    .pull(repository, digest, auth.as_ref(), events)
                    .await
                    .map(|()| None),
                Direction::Push(tag) => engine.push(repository, tag, auth.as_ref(), events).await,
            };
            let error = match done {
                Ok(digest) => return Ok(digest),
                Err(error) => error,
            };
            match &sign_in {
                // Only ECR's passwords grow old; any other stays refused, and CrowdStrike locks out who shows it again.
                Some(stale @ SignIn::Ecr(_)) if error.wants_new_sign_in() && !renewed => {
                    renewed = true;
                    let credentials = self.services.credentials().await?;
                    let renewed = credentials.renewed(&repository.registry, stale).await;
                    sign_in = renewed.map_err(|source| no_sign_in(repository, source))?;
                    events.note(format!("{error}; trying once with a new sign-in"));
                }
                _ if error.is_transient() => {
                    let Some(longest) = waits.next() else {
                        return Err(error.into());
                    };
                    events.note(format!("{error}; trying again"));
                    tokio::time::sleep(longest.mul_f64(fastrand::f64())).await;
                }
                _ => return Err(error.into()),
            }
        }
    }

    /// The sign-in that the engine passes on to a registry; none leaves it at what anybody may pull.
    pub(super) async fn registry_auth(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryAuth>, Problem> {
        let sign_in = self.sign_in(repository).await?;
        Ok(sign_in.map(|sign_in| auth(repository, sign_in)))
    }

    async fn sign_in(&self, repository: &Repository) -> Result<Option<SignIn>, Problem> {
        let credentials = self.services.credentials().await?;
        let sign_in = credentials.sign_in(&repository.registry).await;
        Ok(sign_in.map_err(|source| no_sign_in(repository, source))?)
    }
}

fn no_sign_in(repository: &Repository, source: SignInError) -> RegistryError {
    RegistryError::SignIn {
        registry: repository.registry.clone(),
        source: Box::new(source),
    }
}

fn auth(repository: &Repository, sign_in: SignIn) -> RegistryAuth {
    let (username, password) = match sign_in {
        SignIn::Ecr(authorization) | SignIn::Password(authorization) => {
            (authorization.username, authorization.password)
        }
        SignIn::IdentityToken(token) => (IDENTITY_TOKEN.to_owned(), token),
    };
    RegistryAuth {
        username,
        password,
        registry: repository.registry.clone(),
    }
}
