//! The native falconutil without its image: fetched out of a layer, kept on the agent, and mounted into the ARM64 image.

use std::io;
use std::path::{Path, PathBuf};

use tokio::task::spawn_blocking;

use super::cleanup::Undo;
use super::context::Run;
use super::step_outcome::StepOutcome;
use crate::adapters::engine::container::spec::{Bind, ContainerEnd, ContainerSpec};
use crate::adapters::engine::error::failure::EngineError;
use crate::adapters::journal::JournalItem;
use crate::adapters::program_folder::{ProgramFolder, create};
use crate::domain::falcon::falconutil::help_names_platform;
use crate::domain::falcon::program::{
    FALCONUTIL, LIMIT, PROGRAM_HEAD, ProgramObstacle, check, knows_platform,
};
use crate::domain::image::sensor_files::file_copy::{CopiedFile, FileCopy, NotCopied};
use crate::domain::image::sensor_files::search::Search;
use crate::flow::look::sensor_files::{SearchedLayers, search_layers};
use crate::flow::plan::step::{Falconutil, NativeProgram};
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

/// The path at which the container has the program. No image of its own has a file there.
const MOUNTED: &str = "/falcon-patch-falconutil";

/// The end of an attempt to use the program: an obstacle leaves its image, a problem leaves nothing.
pub(super) enum NotUsed {
    Obstacle(ProgramObstacle),
    Problem(Problem),
}

impl<E: Into<ProgramObstacle>> From<E> for NotUsed {
    fn from(obstacle: E) -> Self {
        Self::Obstacle(obstacle.into())
    }
}

impl Run {
    /// Fetches the program. An obstacle is logged and does not fail the step.
    pub(super) async fn fetch_falconutil(
        &self,
        program: &NativeProgram,
        events: &StepEvents,
    ) -> Result<StepOutcome, Problem> {
        match Box::pin(self.try_fetch(program, events)).await {
            Ok(()) => Ok(StepOutcome::Program(Ok(()))),
            Err(not_used) => not_used.outcome(events),
        }
    }

    async fn try_fetch(&self, program: &NativeProgram, events: &StepEvents) -> Result<(), NotUsed> {
        if let Some(path) = self.kept_program(program).await? {
            events.note("an earlier step on this agent has fetched it");
            return self.expect_file(path);
        }
        let draft = self.programs(program).draft(&self.id);
        self.expect_file(draft.clone())?;
        self.cleanup.push(Undo::File(draft.clone()));
        let copied = self.copy_program(program, &draft).await?;
        self.keep_program(program, draft, &copied).await?;
        let CopiedFile { bytes, digest, .. } = copied;
        events.note(format!("`{FALCONUTIL}`, {bytes} bytes, {digest}"));
        Ok(())
    }

    /// Records a file that is there until the end of the job.
    fn expect_file(&self, path: PathBuf) -> Result<(), NotUsed> {
        let recorded = self.record(JournalItem::File { path });
        recorded.map_err(NotUsed::Problem)
    }

    /// Copies the program out of the layers of its image, and checks it.
    async fn copy_program(
        &self,
        program: &NativeProgram,
        draft: &Path,
    ) -> Result<CopiedFile, NotUsed> {
        let NativeProgram {
            repository,
            image,
            platform,
        } = program;
        let registry = self.services.registry().await.map_err(NotUsed::Problem)?;
        let file = create(draft).map_err(|error| not_kept(&error))?;
        let copy = FileCopy::new(FALCONUTIL, LIMIT, PROGRAM_HEAD, Box::new(file))
            .map_err(ProgramObstacle::NotSearched)?;
        let search = Search::new(FALCONUTIL).copying(copy);
        let searched = async {
            let image = registry.image(repository, image).await?;
            Box::pin(search_layers(registry, repository, &image, 0, search)).await
        };
        let SearchedLayers { answer, search } = searched.await.map_err(of_registry)?;
        let copied = search.into_copy().ok_or(NotCopied::NoEntry);
        Ok(check(answer, copied.and_then(FileCopy::finish), platform)?)
    }

    /// Gives the program its place, until the end of the job.
    async fn keep_program(
        &self,
        program: &NativeProgram,
        draft: PathBuf,
        copied: &CopiedFile,
    ) -> Result<(), NotUsed> {
        let programs = self.programs(program);
        let digest = copied.digest.clone();
        self.expect_file(programs.place(&digest))?;
        Ok(blocking(move || programs.keep(&draft, &digest)).await?)
    }

    /// Returns the program's file, after reading it once more; none if it is not there as it was kept.
    async fn kept_program(&self, program: &NativeProgram) -> Result<Option<PathBuf>, NotUsed> {
        let programs = self.programs(program);
        Ok(blocking(move || programs.find()).await?)
    }

    fn programs(&self, program: &NativeProgram) -> ProgramFolder {
        let folder = self.services.agent().journal_folder();
        ProgramFolder::of(&folder, &program.image)
    }

    /// Returns the file to mount for a falconutil; none for one that runs in its own image.
    pub(super) async fn file_to_mount(
        &self,
        falconutil: &Falconutil,
    ) -> Result<Option<PathBuf>, NotUsed> {
        let Some(program) = &falconutil.program else {
            return Ok(None);
        };
        let kept = self.kept_program(program).await?;
        let missing =
            || ProgramObstacle::NotKept("it was not fetched, or its file has changed".to_owned());
        Ok(Some(kept.ok_or_else(missing)?))
    }

    /// Asks the program for its flags, which also shows that it runs.
    pub(super) async fn ask_program(
        &self,
        spec: &ContainerSpec,
        events: &StepEvents,
    ) -> Result<bool, NotUsed> {
        self.cleanup.push(Undo::Container(spec.name.clone()));
        let engine = self.services.engine().map_err(NotUsed::Problem)?;
        let end = engine.run(spec, &events.quiet()).await.map_err(not_run)?;
        let ContainerEnd {
            exit_code,
            last_lines,
            ..
        } = end;
        Ok(knows_platform(exit_code, help_names_platform(&last_lines))?)
    }
}

impl NotUsed {
    /// Returns the outcome of a step whose program runs in its own image instead.
    pub(super) fn outcome(self, events: &StepEvents) -> Result<StepOutcome, Problem> {
        match self {
            Self::Obstacle(obstacle) => {
                events.news(obstacle.describe());
                Ok(StepOutcome::Program(Err(obstacle)))
            }
            Self::Problem(problem) => Err(problem),
        }
    }
}

/// Runs a program's own file in a container instead of the image's entrypoint.
pub(super) fn with_program(mut spec: ContainerSpec, file: PathBuf) -> ContainerSpec {
    // The first word names falconutil to the entrypoint.
    spec.command.drain(..1);
    spec.entrypoint = Some(vec![MOUNTED.to_owned()]);
    spec.binds.push(Bind {
        source: file,
        target: MOUNTED.to_owned(),
        read_only: true,
    });
    spec
}

/// Works with the disk in a thread that may block.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, ProgramObstacle> {
    let worked = spawn_blocking(work).await;
    worked
        .unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
        .map_err(|error| not_kept(&error))
}

fn not_kept(error: &io::Error) -> ProgramObstacle {
    ProgramObstacle::NotKept(error.to_string())
}

/// Takes a refusal for an obstacle: the engine may have another way to the image.
fn of_registry(problem: Problem) -> ProgramObstacle {
    let why = std::iter::once(problem.what).chain(problem.why);
    ProgramObstacle::Registry(why.collect::<Vec<_>>().join(": "))
}

/// Takes a refusal for an obstacle: the engine may well run the program's image.
fn not_run(error: EngineError) -> NotUsed {
    match &error {
        EngineError::Request { what, source } => {
            ProgramObstacle::Engine(format!("{what}: {source}")).into()
        }
        EngineError::ContainerTooSlow { .. } => ProgramObstacle::Engine(error.to_string()).into(),
        _ => NotUsed::Problem(error.into()),
    }
}

#[cfg(test)]
mod tests;
