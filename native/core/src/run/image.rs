//! Images on their way: pulled, compared, pushed, read back, tagged.

use super::{Learned, ReadBack, Run};
use crate::cleanup::Undo;
use crate::engine::RegistryAuth;
use crate::error::{Code, Explain, Problem};
use crate::event::StepEvents;
use crate::facts::{Facts, SourceFacts};
use crate::journal::Thing;
use crate::outcome::Effect;
use crate::platform::Platform;
use crate::proof::{Evidence, prove};
use crate::reference::{Digest, Repository, Tag};
use crate::step::Pull;

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

impl Run {
    pub(super) async fn pull(&self, pull: &Pull, events: &StepEvents) -> Result<Learned, Problem> {
        self.pull_by_digest(&pull.repository, &pull.digest, events)
            .await?;
        Ok(Learned::InEngine(pull.digest.clone()))
    }

    /// Brings an image into the engine; unless it is to stay, the journal hears of it first.
    pub(super) async fn pull_by_digest(
        &self,
        repository: &Repository,
        digest: &Digest,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        if !self.config.keep_local_images {
            self.record(Thing::Image {
                reference: repository.at(digest),
            })?;
        }
        let auth = self.registry_auth(repository).await?;
        self.services
            .engine()?
            .pull(repository, digest, auth.as_ref(), events)
            .await?;
        Ok(())
    }

    /// The sign-in for an ECR registry; others are used without one.
    pub(super) async fn registry_auth(
        &self,
        repository: &Repository,
    ) -> Result<Option<RegistryAuth>, Problem> {
        if repository.ecr().is_none() {
            return Ok(None);
        }
        let authorization = self
            .services
            .credentials()
            .await?
            .authorization(&repository.registry)
            .await?;
        Ok(authorization.map(|authorization| RegistryAuth {
            username: authorization.username,
            password: authorization.password,
            registry: repository.registry.clone(),
        }))
    }

    pub(super) async fn prove(
        &self,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<Learned, Problem> {
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        let image = self.patched_image().await?;
        let evidence = Evidence {
            platform: &image.platform,
            diff_ids: &image.diff_ids,
            config: &image.config,
        };
        self.prove_evidence(source, evidence, events)?;
        let added = image.diff_ids.len() - source.diff_ids.len();
        events.note(format!("linux/arm64, {} layers of the source and {added} of the sensor, Falcon's entrypoint in front, all else as in the source", source.diff_ids.len()));
        Ok(Learned::Nothing)
    }

    fn prove_evidence(
        &self,
        source: &SourceFacts,
        patched: Evidence<'_>,
        events: &StepEvents,
    ) -> Result<(), Problem> {
        let platform = Platform::linux_arm64();
        let before = Evidence {
            platform: &platform,
            diff_ids: &source.diff_ids,
            config: &source.config,
        };
        let added = prove(before, patched, &self.config.falcon)?;
        if !added.is_empty() {
            let message = format!(
                "falconutil added more to the image than is documented: {}",
                added.join(", ")
            );
            events.warning(Code::FalconutilChangedMore, message, None);
        }
        Ok(())
    }

    pub(super) async fn create_repository(
        &self,
        repository: &Repository,
        events: &StepEvents,
    ) -> Result<Learned, Problem> {
        let aws = self.services.aws().await?;
        let Some(created) = aws.create_repository(repository).await? else {
            events.note("somebody else created it meanwhile");
            return Ok(Learned::Nothing);
        };
        self.state(|state| {
            state.effects.push(Effect::RepositoryCreated {
                repository: repository.clone(),
            });
        });
        events.note(format!("created by the account's defaults: {created}"));
        Ok(Learned::Nothing)
    }

    pub(super) async fn push(
        &self,
        repository: &Repository,
        tag: &Tag,
        events: &StepEvents,
    ) -> Result<Learned, Problem> {
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
            self.take_name(&reference, repository, tag, &patched.id)
                .await?;
        }
        engine
            .tag(&patched.id, &repository.to_string(), tag.as_str())
            .await?;
        let auth = self.registry_auth(repository).await?;
        let begun = Effect::PushInterrupted {
            repository: repository.clone(),
            tag: tag.clone(),
        };
        self.state(|state| state.effects.push(begun.clone()));
        let digest = engine.push(repository, tag, auth.as_ref(), events).await?;
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
        Ok(Learned::Nothing)
    }

    /// Prepares for giving the target's name to our image for a while: whoever had it gets it back.
    async fn take_name(
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
        self.record(Thing::Tag {
            reference: reference.to_owned(),
        })?;
        self.cleanup.push(Undo::Image(reference.to_owned()));
        Ok(())
    }

    pub(super) async fn read_back(
        &self,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<Learned, Problem> {
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        let target = facts.target.as_ref().map_err(Clone::clone)?;
        let Some(digest) = self.state(|state| state.pushed.clone()) else {
            unreachable!("the plan reads back only after a push")
        };
        let image = self
            .services
            .registry()
            .await?
            .image(&target.repository, &digest)
            .await?;
        let platform = image
            .platform()
            .unwrap_or_else(|| Platform::new("unknown", "unknown", None));
        let evidence = Evidence {
            platform: &platform,
            diff_ids: &image.diff_ids(),
            config: image.runtime_config(),
        };
        self.prove_evidence(source, evidence, events)?;
        let bytes = image.layers_size();
        self.state(|state| {
            state.read_back = Some(ReadBack {
                manifest: image.manifest,
                bytes,
            });
        });
        Ok(Learned::Nothing)
    }

    pub(super) async fn add_tag(
        &self,
        repository: &Repository,
        tag: &Tag,
    ) -> Result<Learned, Problem> {
        let Some(image) = self.state(|state| state.read_back.clone()) else {
            unreachable!("the plan adds tags only after the image was read back")
        };
        self.services
            .registry()
            .await?
            .put_manifest(repository, tag, &image.manifest)
            .await?;
        let digest = image.manifest.digest();
        self.state(|state| {
            state.effects.push(Effect::TagPushed {
                repository: repository.clone(),
                tag: tag.clone(),
                digest,
            });
        });
        Ok(Learned::Nothing)
    }
}
