//! Carries a plan out: one loop, one place that watches for cancellation, cleanup at the end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::SetOnce;
use tokio_util::sync::CancellationToken;

use super::cleanup::{Cleanup, Undo};
use super::finished_task_definition::Finished;
use super::graft::grafted::Grafted;
use super::step_outcome::StepOutcome;
use super::steps::Steps;
use super::tell::forecast;
use super::verify;
use crate::adapters::aws::account::Aws;
use crate::adapters::journal::{Journal, JournalItem};
use crate::domain::agent::Agent;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::reference::digest::Digest;
use crate::flow::config::patch::PatchConfig;
use crate::flow::config::read::Config;
use crate::flow::effect::Effect;
use crate::flow::facts::patch::Facts;
use crate::flow::inputs::Inputs;
use crate::flow::look::gather;
use crate::flow::outcome::{Ending, Failure, Outcome};
use crate::flow::plan::decide::{changes_nothing, plan};
use crate::flow::plan::stages::Stage;
use crate::flow::plan::target_state::TargetState;
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::event::{Event, Events, PlannedStage};
use crate::report::problem::Problem;

/// The agent kills the process 7.5 s after it asked for an end, so cleaning up has to take less.
const CLEANUP_BUDGET: Duration = Duration::from_secs(5);

/// Does what the inputs say, and always comes to an end that can be told.
pub async fn run(
    inputs: &Inputs,
    agent: Agent,
    events: Events,
    cancel: CancellationToken,
) -> Ending {
    match Config::from_inputs(inputs) {
        Ok(Config::Patch(config)) => {
            let run = Run::new(*config, agent, events);
            let driven = tokio::select! {
                biased;
                () = cancel.cancelled() => None,
                ended = run.drive() => Some(ended),
            };
            run.end(driven).await
        }
        Ok(Config::Verify(config)) => Box::pin(verify::run(&config, agent, events, cancel)).await,
        Err(problem) => Ending::Failed(Box::new(Failure {
            problem,
            step: None,
            effects: Vec::new(),
            cleanup: Vec::new(),
        })),
    }
}

/// A run under way.
pub(super) struct Run {
    pub(super) id: String,
    pub(super) config: PatchConfig,
    pub(super) services: Services,
    journal: OnceLock<Journal>,
    pub(super) events: Events,
    steps: Steps,
    pub(super) cleanup: Cleanup,
    state: Mutex<State>,
}

/// What a run has come to; shared by the steps of a stage, and there when the run is stopped.
#[derive(Default)]
pub(super) struct State {
    pub(super) effects: Vec<Effect>,
    pub(super) pushed: Option<Digest>,
    /// An image that is put together and not pushed yet.
    pub(super) grafted: Option<Arc<Grafted>>,
    /// The host and port of the local registry.
    pub(super) staging: Option<String>,
    /// The patched image as the registry has it.
    pub(super) image: Option<Arc<RegistryImage>>,
    /// The ECS task definition that names it.
    pub(super) task_definition: Option<Finished>,
}

enum Driven {
    Done(Box<Outcome>),
    Planned(Box<Outcome>, Vec<PlannedStage>),
}

impl Run {
    fn new(config: PatchConfig, agent: Agent, events: Events) -> Self {
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

    pub(super) fn state<T>(&self, with: impl FnOnce(&mut State) -> T) -> T {
        with(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Writes down what is about to be created and can carry no label.
    pub(super) fn record(&self, thing: JournalItem) -> Result<(), Problem> {
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
        self.record(JournalItem::Folder { path: path.clone() })?;
        self.cleanup.push(Undo::Folder(path));
        Ok(())
    }

    /// The temporary folder of this run; it exists only while something is in it.
    pub(super) fn folder(&self) -> PathBuf {
        let temp = &self.services.agent().temp_folder;
        temp.join(format!("falcon-patch-{}", self.id))
    }

    async fn drive(&self) -> Result<Driven, Problem> {
        let (mut facts, target_state) = self.look().await?;
        if let Ok(target) = &facts.target {
            // An image that is kept takes the place of one that this run would push.
            let kept = target_state.kept_image(target).cloned();
            self.state(|state| state.image = kept);
        }
        let first = plan(&self.config, &facts, target_state)?;
        if self.config.only_plan {
            let outcome = Box::new(self.outcome(&facts, target_state)?);
            return Ok(Driven::Planned(outcome, forecast(&first)));
        }
        if !first.stages.is_empty() {
            self.begin()?;
        }
        'replan: loop {
            let plan = plan(&self.config, &facts, target_state)?;
            self.log_plan(&plan);
            for stage in &plan.stages {
                for learned in self.run_stage(stage, &facts).await? {
                    self.learn(&mut facts, learned);
                }
                if stage.probes {
                    continue 'replan;
                }
            }
            return Ok(Driven::Done(Box::new(self.outcome(&facts, target_state)?)));
        }
    }

    async fn look(&self) -> Result<(Box<Facts>, TargetState), Problem> {
        self.steps
            .run(
                "Look at the images, the registry and the engine",
                |events| async move {
                    // The look is by far the largest future of a run, so it lives on the heap, as does what it found.
                    let look = Box::pin(gather::first(&self.config, &self.services));
                    let mut facts = Box::new(look.await);
                    let mut state = TargetState::of(&self.config, &facts);
                    if !changes_nothing(&self.config, &facts, state) {
                        gather::rest(&self.config, &self.services, &mut facts).await;
                        state = TargetState::of(&self.config, &facts);
                    }
                    let aws = self.services.aws().await.ok();
                    for line in facts.lines(aws.map(Aws::origin)) {
                        events.note(line);
                    }
                    self.compare_customer_ids(&events);
                    Self::warn_of_task_definition(&facts, &events);
                    self.log_target_state(state, &events);
                    // Whether the run is possible is decided here, so that this step is the one that fails.
                    plan(&self.config, &facts, state)?;
                    if !state.keeps_image() {
                        self.tell_way(&facts, &events);
                    }
                    Ok((facts, state))
                },
            )
            .await
    }

    /// Runs the steps of a stage side by side, each as soon as those that it needs are done; the first failure stops the
    /// others.
    async fn run_stage(&self, stage: &Stage, facts: &Facts) -> Result<Vec<StepOutcome>, Problem> {
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

    fn outcome(&self, facts: &Facts, target_state: TargetState) -> Result<Outcome, Problem> {
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
            changed: !target_state.keeps_image(),
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
