//! Images on their way between registries and the engine.

use std::time::Duration;

use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::journal::JournalItem;
use crate::adapters::registry::credentials::error::SignInError;
use crate::adapters::registry::error::RegistryError;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::flow::config::patch::PinnedImage;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::ready::Ready;
use crate::flow::plan::step::{Pull, Role};
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

/// The longest wait before each new attempt; the engine itself tries every layer five times.
const WAITS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

impl Run {
    /// Pulls source or sensor. A name in the local registry is useless after the run, so the run removes it.
    pub(super) async fn pull(
        &self,
        pull: &Pull,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let Pull {
            role,
            repository,
            digest,
        } = pull;
        let pulled = if ready.is_staged(repository) {
            self.reserve_local_name(repository.at(digest))?;
            self.pull_for_the_job(repository, digest, events).await
        } else {
            self.pull_by_digest(repository, digest, events).await
        };
        match pulled {
            Ok(()) => Ok(StepOutcome::Pulled(digest.clone())),
            // The source's layers are in its registry, so the engine's copy can be done without.
            Err(problem)
                if problem.code == Code::EngineImageIncomplete
                    && *role == Role::Source
                    && GraftSource::of(ready.source).is_ok() =>
            {
                events.warning(
                    problem.code,
                    format!("{}; the sensor's layer is put on the source in its registry instead, as `strategy: graft` does", problem.what),
                    problem.hint.clone(),
                );
                Ok(StepOutcome::SourceIncomplete(problem))
            }
            Err(problem) => Err(problem),
        }
    }

    /// Pulls an image, which stays until the end of the job, or for good where the inputs ask for that.
    pub(super) async fn pull_by_digest(
        &self,
        repository: &Repository,
        digest: &Digest,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        if self.config.keep_local_images {
            return self.transfer(repository, digest, events).await;
        }
        let reference = repository.at(digest);
        self.record(JournalItem::Image { reference })?;
        self.pull_for_the_job(repository, digest, events).await
    }

    /// Pulls an image that is removed later. While the pull is under way the journal says so, because the engine may finish
    /// one that fails here or is cut off.
    async fn pull_for_the_job(
        &self,
        repository: &Repository,
        digest: &Digest,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let reference = repository.at(digest);
        let pull = JournalItem::Pull { reference };
        self.record(pull.clone())?;
        self.transfer(repository, digest, events).await?;
        self.settle(pull)
    }

    /// Pulls an image that an input pins. One that is missing may only not be in a pull-through cache yet, which fetches
    /// it by its tag.
    pub(super) async fn pull_pinned(
        &self,
        image: &PinnedImage,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let PinnedImage {
            repository,
            tag,
            digest,
        } = image;
        let pulled = self.pull_by_digest(repository, digest, events).await;
        let (Err(problem), Some(tag)) = (&pulled, tag) else {
            return pulled;
        };
        if !matches!(
            problem.code,
            Code::RegistryImageNotFound | Code::EcrRepositoryNotFound
        ) {
            return pulled;
        }
        let registry = self.services.registry().await?;
        registry.fetch_into_cache(repository, tag, digest).await?;
        events.note(format!(
            "{} is there by its tag; trying again",
            repository.at(digest)
        ));
        self.pull_by_digest(repository, digest, events).await
    }

    /// Lets the engine pull an image: again after a transient error, and once with a new sign-in when the old one is refused.
    async fn transfer(
        &self,
        repository: &Repository,
        digest: &Digest,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let engine = self.services.engine()?;
        let mut sign_in = self.sign_in(repository).await?;
        let mut renewed = false;
        let mut waits = WAITS.into_iter();
        loop {
            let auth = sign_in.clone().map(|sign_in| auth(repository, sign_in));
            let pulled = engine.pull(repository, digest, auth.as_ref(), events).await;
            let Err(error) = pulled else { return Ok(()) };
            match &sign_in {
                // A login that cannot be renewed stays refused, and CrowdStrike locks out a client that shows it again.
                Some(stale) if stale.renewable && error.wants_new_sign_in() && !renewed => {
                    renewed = true;
                    let credentials = self.services.credentials().await?;
                    let renewed = credentials.renewed(repository, stale).await;
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

    /// The sign-in that the engine passes on to a registry; without one it pulls anonymously.
    pub(super) async fn registry_auth(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryAuth>, Problem> {
        let sign_in = self.sign_in(repository).await?;
        Ok(sign_in.map(|sign_in| auth(repository, sign_in)))
    }

    async fn sign_in(&self, repository: &Repository) -> Result<Option<RegistryLogin>, Problem> {
        let credentials = self.services.credentials().await?;
        let sign_in = credentials.login(repository).await;
        Ok(sign_in.map_err(|source| no_sign_in(repository, source))?)
    }
}

fn no_sign_in(repository: &Repository, source: SignInError) -> RegistryError {
    RegistryError::SignIn {
        registry: repository.registry.clone(),
        source: Box::new(source),
    }
}

fn auth(repository: &Repository, login: RegistryLogin) -> RegistryAuth {
    RegistryAuth {
        username: login.user,
        password: login.password,
        registry: repository.registry.clone(),
    }
}
