//! Carries a plan out: one loop, one place that watches for cancellation, cleanup at the end.

mod builder;
mod ecs;
mod emulate;
mod execute;
mod graft;
mod image;
mod mirror;
mod patch;
mod provenance;
mod staging;
mod steps;
mod transfer;
mod verify;

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use ecs::Finished;
use graft::Grafted;
use steps::Steps;
use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use crate::cleanup::{Cleanup, Undo};
use crate::config::{Action, Agent, Asked, Config, Strategy};
use crate::error::{Code, Failure, Problem};
use crate::event::{Event, Events, StepEvents};
use crate::facts::{self, Facts};
use crate::graft::{Obstacle, Stock};
use crate::inputs::Inputs;
use crate::journal::{Journal, Thing};
use crate::outcome::{Effect, Ending, Forecast, Outcome};
use crate::plan::{Plan, Stage, plan};
use crate::reference::Digest;
use crate::registry::RegistryImage;
use crate::services::Services;
use crate::staging::Staged;
use crate::standing::{Standing, standing};
use crate::step::Step;

/// The agent kills the process 7.5 s after it asked for an end, so cleaning up has to take less.
const CLEANUP_BUDGET: Duration = Duration::from_secs(5);

/// Does what the inputs say, and always comes to an end that can be told.
pub async fn run(
    inputs: &Inputs,
    agent: Agent,
    events: Events,
    cancel: CancellationToken,
) -> Ending {
    match Asked::from_inputs(inputs) {
        Ok(Asked::Patch(config)) => {
            let run = Run::new(*config, agent, events);
            let driven = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                ended = run.drive() => Some(ended),
            };
            run.end(driven).await
        }
        Ok(Asked::Verify(config)) => Box::pin(verify::run(&config, agent, events, cancel)).await,
        Err(problem) => Ending::Failed(Box::new(Failure {
            problem,
            step: None,
            effects: Vec::new(),
            cleanup: Vec::new(),
        })),
    }
}

/// A run under way.
struct Run {
    id: String,
    config: Config,
    services: Services,
    journal: OnceLock<Journal>,
    events: Events,
    steps: Steps,
    cleanup: Cleanup,
    state: Mutex<State>,
}

/// What a run has come to; shared by the steps of a stage, and there when the run is stopped.
#[derive(Default)]
struct State {
    effects: Vec<Effect>,
    pushed: Option<Digest>,
    /// An image that is put together and not pushed yet.
    grafted: Option<Arc<Grafted>>,
    /// The host and port of the local registry.
    staging: Option<String>,
    /// The patched image as the registry has it.
    image: Option<Arc<RegistryImage>>,
    /// The ECS task definition that names it.
    task_definition: Option<Finished>,
}

/// What a step found out.
enum Learned {
    /// The engine holds an image.
    InEngine(Digest),
    /// The mirror holds the sensor.
    SensorCopied,
    /// An emulator has been installed.
    EmulatorInstalled,
    /// The images are staged.
    Staged(Staged),
    /// The builder for later steps is there.
    BuilderMade,
    /// Whether ARM64 programs run.
    Arm64Runs(bool),
    /// Whether a falconutil knows `--platform`.
    KnowsPlatform { arm64: bool, knows: bool },
    /// Whether there is a graft to be pushed, or what forbids it.
    Grafted(Result<(), Obstacle>),
    /// Nothing that a plan depends on.
    Nothing,
}

enum Driven {
    Done(Box<Outcome>),
    Planned(Box<Outcome>, Vec<Forecast>),
}

impl Run {
    fn new(config: Config, agent: Agent, events: Events) -> Self {
        Self {
            id: uuid::Uuid::new_v4().simple().to_string()[..12].to_owned(),
            journal: OnceLock::new(),
            services: Services::new(
                agent,
                config.aws.clone(),
                config.falcon_api.clone(),
                events.clone(),
            ),
            config,
            steps: Steps::new(events.clone()),
            events,
            cleanup: Cleanup::default(),
            state: Mutex::default(),
        }
    }

    fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down what is about to be created and can carry no label.
    fn record(&self, thing: Thing) -> Result<(), Problem> {
        let Some(journal) = self.journal.get() else {
            unreachable!("nothing is created before the journal is open")
        };
        Ok(journal.record(&self.id, thing)?)
    }

    /// Prepares for changing anything: from here on the end of the job knows that there may be something to sweep.
    fn begin(&self) -> Result<(), Problem> {
        let agent = self.services.agent();
        let journal = Journal::open(&agent.journal_folder(), &agent.owner())?;
        self.journal.get_or_init(|| journal);
        let path = self.folder();
        self.record(Thing::Folder { path: path.clone() })?;
        self.cleanup.push(Undo::Folder(path));
        Ok(())
    }

    /// The temporary folder of this run; it exists only while something is in it.
    fn folder(&self) -> PathBuf {
        let temp = &self.services.agent().temp_folder;
        temp.join(format!("falcon-patch-{}", self.id))
    }

    async fn drive(&self) -> Result<Driven, Problem> {
        let mut facts = self.look().await?;
        let first = plan(&self.config, &facts)?;
        if first.kept.is_some() {
            self.keep(&facts);
        }
        if self.config.action == Action::Plan {
            let outcome = Box::new(self.outcome(&facts, &first)?);
            return Ok(Driven::Planned(outcome, forecast(&first)));
        }
        if !first.stages.is_empty() {
            self.begin()?;
        }
        'replan: loop {
            let plan = plan(&self.config, &facts)?;
            self.tell_plan(&plan);
            for stage in &plan.stages {
                for learned in self.run_stage(stage, &facts).await? {
                    self.learn(&mut facts, learned);
                }
                if stage.probes {
                    continue 'replan;
                }
            }
            return Ok(Driven::Done(Box::new(self.outcome(&facts, &plan)?)));
        }
    }

    async fn look(&self) -> Result<Box<Facts>, Problem> {
        self.steps
            .run(
                "Look at the images, the registry and the engine",
                |events| async move {
                    // The look is by far the largest future of a run, so it lives on the heap, as does what it found.
                    let look = Box::pin(facts::gather(&self.config, &self.services));
                    let facts = Box::new(look.await);
                    for line in facts.lines(self.services.aws().await.ok()) {
                        events.note(line);
                    }
                    self.compare_customer_ids(&events);
                    Self::warn_of_task_definition(&facts, &events);
                    self.tell_standing(&facts, &events);
                    // Whether the run is possible is decided here, so that this step is the one that fails.
                    let plan = plan(&self.config, &facts)?;
                    if plan.kept.is_none() {
                        self.tell_way(&facts, &events);
                    }
                    Ok(facts)
                },
            )
            .await
    }

    /// The image that is there takes the place of one that this run would push.
    fn keep(&self, facts: &Facts) {
        let target = facts.target.as_ref().ok();
        let current = target.and_then(|target| target.current.as_ref());
        self.state(|state| state.image = current.map(|current| current.image.clone()));
    }

    /// Runs the steps of a stage side by side, each as soon as those that it needs are done; the first failure stops the
    /// others.
    async fn run_stage(&self, stage: &Stage, facts: &Facts) -> Result<Vec<Learned>, Problem> {
        let done: Vec<SetOnce<()>> = stage.steps.iter().map(|_| SetOnce::new()).collect();
        let steps = stage.steps.iter().zip(&done).map(|(step, done_now)| {
            let others = stage.steps.iter().zip(&done);
            let needed: Vec<&SetOnce<()>> = others
                .filter_map(|(other, done)| step.needs(other).then_some(done))
                .collect();
            async move {
                for done in needed {
                    done.wait().await;
                }
                let act = |events| self.execute(step, facts, events);
                let learned = self.steps.run(step.to_string(), act).await?;
                let _ = done_now.set(());
                Ok(learned)
            }
        });
        futures_util::future::try_join_all(steps).await
    }

    fn learn(&self, facts: &mut Facts, learned: Learned) {
        match learned {
            Learned::InEngine(digest) => {
                facts.in_engine.insert(digest);
            }
            Learned::SensorCopied => {
                if let Ok(sensor) = &mut facts.sensor {
                    sensor.copy = None;
                }
            }
            Learned::EmulatorInstalled => {
                facts.handler = facts::handler(facts.engine.as_ref().ok(), &self.services);
                facts.probes.emulator_installed = true;
                facts.probes.arm64_runs = None;
            }
            Learned::Staged(staged) => {
                // What the engine holds is held under other names.
                facts.in_engine.clear();
                facts.staged = Some(staged);
            }
            Learned::BuilderMade => {
                if let Some(Ok(builder)) = &mut facts.builder {
                    builder.is_made = true;
                }
            }
            Learned::Arm64Runs(runs) => facts.probes.arm64_runs = Some(runs),
            Learned::KnowsPlatform { arm64: true, knows } => {
                facts.probes.arm64_knows_platform = Some(knows);
            }
            Learned::KnowsPlatform {
                arm64: false,
                knows,
            } => facts.probes.native_knows_platform = Some(knows),
            Learned::Grafted(grafted) => facts.probes.graft = Some(grafted),
            Learned::Nothing => {}
        }
    }

    /// Says why an image that is there is kept or made anew.
    fn tell_standing(&self, facts: &Facts, events: &StepEvents) {
        match standing(&self.config, facts) {
            Standing::Outdated(reason) => {
                if let Some(text) = reason.text() {
                    events.note(format!("Target: {text}"));
                }
            }
            Standing::UpToDate => events.note("Target: it is what patching would make, by its provenance, its layers and its configuration"),
            Standing::Adopted => events.warning(
                Code::FalconTargetAdopted,
                format!("The tag `{}` cannot be overwritten, and its image is the source patched with these options; it is taken as it is, though nothing records which sensor is in it", self.config.target_tag),
                Some("A run that was stopped after its push leaves such an image; to be sure of the sensor, push another tag".to_owned()),
            ),
            Standing::Unknown => {}
        }
    }

    /// Says why the full way is taken where the other was asked for.
    fn tell_way(&self, facts: &Facts, events: &StepEvents) {
        if let (Strategy::Graft, Ok(source)) = (self.config.strategy, &facts.source)
            && let Err(obstacle) = Stock::of(source)
        {
            events.note(obstacle.told());
        }
    }

    fn tell_plan(&self, plan: &Plan) {
        if plan.stages.is_empty() {
            return;
        }
        self.events.send(Event::Planned {
            stages: forecast(plan),
        });
    }

    fn outcome(&self, facts: &Facts, plan: &Plan) -> Result<Outcome, Problem> {
        let (source, sensor, target) = (
            facts.source.clone()?,
            facts.sensor.clone()?,
            facts.target.clone()?,
        );
        let image = self.state(|state| state.image.clone());
        let task_definition = self.state(|state| state.task_definition.clone());
        Ok(Outcome {
            target: target.repository,
            target_tag: self.config.target_tag.clone(),
            digest: image.as_ref().map(|image| image.digest.clone()),
            source_digest: source.digest().cloned(),
            source_name: source.name,
            sensor_name: sensor.name,
            sensor_digest: sensor.arm64,
            sensor_version: sensor.version,
            changed: plan.kept.is_none(),
            source_bytes: source.bytes,
            target_bytes: image.map(|image| image.layers_size()),
            task_definition: task_definition
                .as_ref()
                .map(|finished| finished.path.clone()),
            revision: task_definition.and_then(|finished| finished.revision),
            builder: self.builder_for_later_steps(facts),
            effects: Vec::new(),
            cleanup: Vec::new(),
        })
    }

    /// Cleans up, and turns what came of the run into its one result.
    async fn end(self, driven: Option<Result<Driven, Problem>>) -> Ending {
        if let Some(Ok(Driven::Done(_))) = &driven {
            self.keep_builder();
        }
        let journal = self
            .journal
            .get()
            .map(|journal| (journal, self.id.as_str()));
        let cleanup = self
            .cleanup
            .run(self.services.engine().ok(), journal, CLEANUP_BUDGET)
            .await;
        for left in &cleanup {
            self.events.send(Event::Warning {
                code: Code::TaskLeftovers,
                message: format!("Could not take away {left}"),
                hint: Some("The step at the end of the job tries again".to_owned()),
            });
        }
        let effects = self.state(|state| std::mem::take(&mut state.effects));
        match driven {
            None => Ending::Cancelled { effects, cleanup },
            Some(Err(problem)) => Ending::Failed(Box::new(Failure {
                problem,
                step: self.steps.failed(),
                effects,
                cleanup,
            })),
            Some(Ok(Driven::Planned(outcome, forecast))) => Ending::Planned(outcome, forecast),
            Some(Ok(Driven::Done(outcome))) => Ending::Done(Box::new(Outcome {
                effects,
                cleanup,
                ..*outcome
            })),
        }
    }
}

fn forecast(plan: &Plan) -> Vec<Forecast> {
    let stages = plan.stages.iter();
    stages
        .map(|stage| Forecast {
            steps: stage.steps.iter().map(Step::to_string).collect(),
            only_if: stage.only_if,
        })
        .collect()
}
