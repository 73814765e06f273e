//! A graft: falconutil on a stub, and what it did there put on the source in the registry.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::delta::{Delta, DeltaError, ExportReader, take};
use super::grafted::Grafted;
use super::memory::Memory;
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::journal::JournalItem;
use crate::adapters::registry::upload::{Arrival, Origin, Upload};
use crate::domain::engine::EngineImage;
use crate::domain::graft::assemble::{Assembled, Change, assemble};
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::graft::stub::stub;
use crate::domain::image::proof::Evidence;
use crate::domain::platform::Platform;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::facts::patch::Facts;
use crate::flow::plan::graft_source::GraftSource;
use crate::flow::plan::step::Falconutil;
use crate::flow::run::cleanup::Undo;
use crate::flow::run::drive::Run;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

/// Why there is no graft: the full way is open, or nothing is.
enum Ungrafted {
    Obstacle(Obstacle),
    Problem(Problem),
}

impl From<Obstacle> for Ungrafted {
    fn from(obstacle: Obstacle) -> Self {
        Self::Obstacle(obstacle)
    }
}

impl From<Problem> for Ungrafted {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<EngineError> for Ungrafted {
    /// What the engine refuses to do with a stub it may well do with the source.
    fn from(error: EngineError) -> Self {
        match &error {
            EngineError::Request { what, source } => {
                Self::Obstacle(Obstacle::Engine(format!("{what}: {source}")))
            }
            _ => Self::Problem(error.into()),
        }
    }
}

impl From<DeltaError> for Ungrafted {
    fn from(error: DeltaError) -> Self {
        match error {
            DeltaError::Obstacle(obstacle) => Self::Obstacle(obstacle),
            error @ DeltaError::Spool { .. } => Self::Problem(error.into()),
        }
    }
}

impl Run {
    /// Grafts as far as nothing leaves the agent; what cannot be grafted is told, and is no failure.
    pub async fn graft(
        &self,
        falconutil: &Falconutil,
        knows_platform: bool,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let grafted = self.try_graft(falconutil, knows_platform, facts, events);
        match grafted.await {
            Ok(grafted) => {
                self.state(|state| state.grafted = Some(Arc::new(grafted)));
                Ok(StepOutcome::Grafted(Ok(())))
            }
            Err(Ungrafted::Obstacle(obstacle)) => {
                events.note(obstacle.told());
                Ok(StepOutcome::Grafted(Err(obstacle)))
            }
            Err(Ungrafted::Problem(problem)) => Err(problem),
        }
    }

    async fn try_graft(
        &self,
        falconutil: &Falconutil,
        knows_platform: bool,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<Grafted, Ungrafted> {
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        let stock = GraftSource::of(source)?;
        let stub = self.local_name("stub")?;
        let before = self.load_stub(&stub, &stock).await?;
        let target = self.local_name("stub-patched")?;
        let end = self
            .run_falconutil(&stub, &target, falconutil, knows_platform, facts, events)
            .await?;
        if end.exit_code != 0 {
            let exit_code = end.exit_code;
            return Err(Obstacle::NotPatched { exit_code }.into());
        }
        let after = self.services.engine()?.image(&target).await?;
        let after = after.ok_or(Obstacle::NoImage)?;
        let layer = added_layer(&before, &after)?;
        let spool = self.spool()?;
        let delta = self.delta(facts, &target, layer, &spool, events).await?;
        let change = Change::between(&before, &after);
        let assembled = assemble(stock.image, &change, &delta);
        self.prove_graft(facts, &assembled, events)?;
        Ok(Grafted { assembled, spool })
    }

    /// Brings the stub into the engine.
    async fn load_stub(
        &self,
        name: &str,
        stock: &GraftSource<'_>,
    ) -> Result<EngineImage, Ungrafted> {
        let archive = stub(&stock.image.config, name);
        let archive = archive.map_err(|error| Obstacle::Engine(error.to_string()))?;
        let engine = self.services.engine()?;
        engine.load(archive).await?;
        let loaded = engine.image(name).await?;
        Ok(
            loaded
                .ok_or_else(|| Obstacle::Engine("it has no stub after loading one".to_owned()))?,
        )
    }

    /// The layer that falconutil added: known from before, or else taken out of the engine.
    async fn delta(
        &self,
        facts: &Facts,
        image: &str,
        layer: &str,
        spool: &Path,
        events: &StepEvents,
    ) -> Result<Delta, Ungrafted> {
        let memory = Memory::of(&self.services.agent().journal_folder());
        if let Some(known) = memory.recall(layer)
            && self.is_in_target(facts, &known).await?
        {
            events.note(format!(
                "the sensor's layer is known, and the registry has it: {}",
                known.digest
            ));
            return Ok(known);
        }
        let delta = self.export_layer(image, layer, spool, events).await?;
        // What cannot be kept is made again the next time.
        let _ = memory.keep(layer, &delta);
        events.note(format!("the sensor's layer is {}", delta.digest));
        Ok(delta)
    }

    async fn is_in_target(&self, facts: &Facts, delta: &Delta) -> Result<bool, Problem> {
        let target = facts.target.as_ref().map_err(Clone::clone)?;
        if target.is_missing {
            return Ok(false);
        }
        let registry = self.services.registry().await?;
        let held = registry.blob_size(&target.repository, &delta.digest).await;
        // A registry that does not answer now will tell why when the layer is pushed.
        Ok(matches!(held, Ok(Some(size)) if size == delta.size))
    }

    /// Streams the image out of the engine to a thread that finds its layer and packs it.
    async fn export_layer(
        &self,
        image: &str,
        layer: &str,
        spool: &Path,
        events: &StepEvents,
    ) -> Result<Delta, Ungrafted> {
        let engine = self.services.engine()?;
        let mut export = engine.export(image).await?;
        let (send, reader) = ExportReader::new();
        let (layer, spool) = (layer.to_owned(), spool.to_owned());
        let taking = tokio::task::spawn_blocking(move || take(reader, &layer, &spool));
        let mut passed = 0;
        while let Some(bytes) = engine.next_of(&mut export).await? {
            passed += bytes.len() as u64;
            events.progress(passed, None);
            // Whoever has the layer hears no more.
            if send.send(bytes).await.is_err() {
                break;
            }
        }
        drop(send);
        let taken = taking.await;
        Ok(taken.map_err(|error| Obstacle::Unreadable(error.to_string()))??)
    }

    /// A folder for the layer alone, since the socket's is made and removed with the socket.
    fn spool(&self) -> Result<PathBuf, Ungrafted> {
        let folder = self.folder().with_extension("layer");
        let thing = JournalItem::Folder {
            path: folder.clone(),
        };
        self.record(thing)?;
        self.cleanup.push(Undo::Folder(folder.clone()));
        let made = std::fs::DirBuilder::new().mode(0o700).create(&folder);
        made.map_err(|source| DeltaError::Spool {
            path: folder.clone(),
            source,
        })?;
        Ok(folder.join("layer.tar.gz"))
    }

    /// Compares what would be pushed with the source; what falconutil documents is not for the stub to change.
    fn prove_graft(
        &self,
        facts: &Facts,
        assembled: &Assembled,
        events: &StepEvents,
    ) -> Result<(), Ungrafted> {
        let evidence = Evidence {
            platform: &Platform::linux_arm64(),
            diff_ids: &assembled.diff_ids(),
            config: &assembled.config["config"],
        };
        match self.prove_evidence(facts, evidence) {
            Ok(more) => {
                Self::tell_more(&more, events);
                Ok(())
            }
            Err(problem) => {
                let why = problem.why.first().unwrap_or(&problem.what);
                Err(Obstacle::Unproven(why.clone()).into())
            }
        }
    }

    /// Pushes layers, configuration and manifest, in this order; no tag names the image yet.
    pub async fn push_grafted(
        &self,
        repository: &Repository,
        facts: &Facts,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        let Some(grafted) = self.state(|state| state.grafted.clone()) else {
            unreachable!("the plan pushes only what was grafted")
        };
        let source = facts.source.as_ref().map_err(Clone::clone)?;
        let Ok(stock) = GraftSource::of(source) else {
            unreachable!("what was grafted has a stock")
        };
        let begun = Effect::UploadInterrupted {
            repository: repository.clone(),
        };
        self.state(|state| state.effects.push(begun.clone()));
        let of_source = stock
            .image
            .layers
            .iter()
            .filter(|layer| !layer.is_foreign());
        let mut uploads: Vec<Upload<'_>> = of_source
            .map(|blob| Upload {
                blob,
                origin: Origin::Repository(stock.repository),
            })
            .collect();
        uploads.push(Upload {
            blob: &grafted.assembled.layer,
            origin: Origin::File(&grafted.spool),
        });
        let registry = self.services.registry().await?;
        let progress = |current, total| events.progress(current, Some(total));
        let arrivals = registry.upload_all(repository, &uploads, &progress).await?;
        events.note(told(&arrivals));
        let assembled = &grafted.assembled;
        registry
            .put_bytes(
                repository,
                &assembled.config_descriptor.media_type,
                &assembled.config_bytes,
            )
            .await?;
        registry
            .put_by_digest(repository, &assembled.manifest)
            .await?;
        let digest = assembled.manifest.digest();
        events.note(format!("pushed as {digest}, without a tag yet"));
        self.state(|state| {
            state.effects.retain(|effect| *effect != begun);
            state.effects.push(Effect::ManifestPushed {
                repository: repository.clone(),
                digest: digest.clone(),
            });
            state.pushed = Some(digest);
        });
        Ok(StepOutcome::Nothing)
    }
}

/// The digest of the one layer that is on the stub's own.
fn added_layer<'a>(stub: &EngineImage, patched: &'a EngineImage) -> Result<&'a str, Obstacle> {
    match patched.diff_ids.strip_prefix(&stub.diff_ids[..]) {
        None => Err(Obstacle::StubLost),
        Some([layer]) => Ok(layer),
        Some(added) => Err(Obstacle::Layers { added: added.len() }),
    }
}

/// How the layers came to be in the repository.
fn told(arrivals: &[Arrival]) -> String {
    let count = |wanted| {
        arrivals
            .iter()
            .filter(|arrival| **arrival == wanted)
            .count()
    };
    let parts = [
        (Arrival::Present, "there already"),
        (Arrival::Mounted, "mounted"),
        (Arrival::Sent, "uploaded"),
    ];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(arrival, _)| count(*arrival) > 0)
        .map(|(arrival, how)| format!("{} {how}", count(arrival)))
        .collect();
    format!("{} layers: {}", arrivals.len(), parts.join(", "))
}
