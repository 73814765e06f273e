//! Keeps a new graft as an entry of the cache.

use std::time::SystemTime;

use crate::adapters::registry::referrers::Artifact;
use crate::domain::graft::entry::{Entry, Graft};
use crate::domain::graft::entry_document::ENTRY_TYPE;
use crate::domain::graft::entry_signature::{SignedEntry, annotations};
use crate::domain::graft::question::Question;
use crate::domain::image::manifest::RawManifest;
use crate::domain::provenance::bundle::BUNDLE_TYPE;
use crate::domain::reference::repository::Repository;
use crate::domain::reference::tag::Tag;
use crate::flow::effect::Effect;
use crate::flow::facts::graft_cache::{CacheAnswer, CacheHit};
use crate::flow::facts::keys::SigningKey;
use crate::flow::look::graft_cache::CacheLookup;
use crate::flow::plan::ready::Ready;
use crate::flow::run::assemble::ready_image::ReadyImage;
use crate::flow::run::context::Run;
use crate::flow::run::local_names::LOCAL_DOMAIN;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

impl Run {
    /// Keeps a graft that was proven and pushed. The image is good without it, so a registry that takes no entry causes
    /// only a warning.
    pub(in crate::flow::run) async fn keep_graft(
        &self,
        repository: &Repository,
        tag: &Tag,
        image: &ReadyImage,
        ready: &Ready<'_>,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let (Some(packed), Some(cache)) = (image.packed(), ready.graft_cache()) else {
            return Ok(StepOutcome::Nothing);
        };
        let names = [
            self.id.clone(),
            LOCAL_DOMAIN.to_owned(),
            ready.sensor_origin().to_string(),
        ];
        let graft = Graft {
            source: image.source.runtime_config(),
            options: &ready.options,
            change: &packed.change,
            layer: &packed.layer,
            names: &names,
        };
        let entry = match Entry::of(&cache.question, &graft) {
            Ok(entry) => entry,
            Err(why) => {
                events.note(format!("Later runs cannot use this graft: {why}"));
                return Ok(StepOutcome::Nothing);
            }
        };
        if let Err(problem) = self.put_entry(repository, tag, &entry, ready).await {
            let there = self.entry_there(repository, image, &cache.question, ready);
            match there.await {
                // Another run was faster, and an immutable tag keeps what it names first.
                CacheAnswer::Hit(CacheHit { entry, .. }) => {
                    events.note(format!("another run has kept the same graft as {entry}"));
                }
                _ => warn(repository, tag, &problem, events),
            }
        }
        Ok(StepOutcome::Nothing)
    }

    async fn put_entry(
        &self,
        repository: &Repository,
        tag: &Tag,
        entry: &Entry,
        ready: &Ready<'_>,
    ) -> Result<(), Problem> {
        let registry = self.services.registry().await?;
        let manifest = entry.manifest();
        registry
            .put_bytes(repository, ENTRY_TYPE, &entry.document())
            .await?;
        // The tag comes last, so that the entry is never found without its signature.
        if let Some(key) = ready.signing {
            registry.put_by_digest(repository, &manifest).await?;
            self.sign_entry(key, repository, &manifest, ready).await?;
        }
        let begun = Effect::EntryBegun {
            repository: repository.clone(),
            tag: tag.clone(),
        };
        self.effects.begin(&begun);
        if let Err(error) = registry.put_manifest(repository, tag, &manifest).await {
            if error.is_refusal() {
                self.effects.withdraw(&begun);
            }
            return Err(error.into());
        }
        let kept = Effect::EntryKept {
            repository: repository.clone(),
            tag: tag.clone(),
            digest: manifest.digest(),
        };
        self.effects.complete(&begun, kept);
        Ok(())
    }

    /// Attaches the signature of an entry.
    async fn sign_entry(
        &self,
        key: &SigningKey,
        repository: &Repository,
        manifest: &RawManifest,
        ready: &Ready<'_>,
    ) -> Result<(), Problem> {
        let finished = humantime::format_rfc3339_seconds(SystemTime::now()).to_string();
        let signed = SignedEntry {
            repository,
            entry: &manifest.digest(),
            sensor: &ready.sensor.arm64,
            origin: &self.services.agent().origin,
            finished: &finished,
        };
        let statement = signed.statement().to_string();
        let bundle = self.sign(key, statement.as_bytes()).await?;
        let artifact = Artifact {
            media_type: BUNDLE_TYPE,
            content: &bundle,
            annotations: annotations(&manifest.digest()),
        };
        let registry = self.services.registry().await?;
        registry.attach(repository, manifest, &artifact).await?;
        Ok(())
    }

    /// Looks at the entry that the tag names now, as a run that wants to use it does.
    async fn entry_there(
        &self,
        repository: &Repository,
        image: &ReadyImage,
        question: &Question,
        ready: &Ready<'_>,
    ) -> CacheAnswer {
        let trust = ready.trust;
        let lookup = CacheLookup {
            repository,
            source: &image.source,
            options: &ready.options,
            question,
            trust,
        };
        lookup.answer(&self.services).await
    }
}

fn warn(repository: &Repository, tag: &Tag, problem: &Problem, events: &StepEvents) {
    let causes = std::iter::once(&problem.what).chain(&problem.why);
    let causes: Vec<&str> = causes.map(String::as_str).collect();
    events.warning(
        Code::GraftEntryNotKept,
        format!(
            "The graft could not be kept for later runs as `{}`: {}",
            repository.tagged(tag),
            causes.join(": ")
        ),
        Some("The image is good; the next graft asks falconutil again. Allow the task to write tags that begin with `falcon-graft-`, delete an entry that cannot be replaced, or set `graftCache: none`".to_owned()),
    );
}
