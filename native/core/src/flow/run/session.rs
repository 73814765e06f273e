use futures_util::FutureExt as _;

use super::customer_id::compare_customer_ids;
use super::log::{
    log_graft_cache, log_ignored_records, log_strategy, log_target_state, warn_of_access,
    warn_of_layers, warn_of_task_definition,
};
use super::progress::Progress;
use super::step_log::{StepFailure, StepLog};
use crate::adapters::aws::account::Aws;
use crate::domain::agent::Agent;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::graft_cache::{CacheAnswer, GraftCacheFacts};
use crate::flow::look::gather;
use crate::flow::look::graft_cache::CacheLookup;
use crate::flow::plan::decide::{changes_nothing, plan, uses_engine};
use crate::flow::plan::graft_source::{CacheQuestion, cache_question};
use crate::flow::plan::target_state::TargetState;
use crate::flow::services::Services;
use crate::report::event::{Events, StepEvents};
use crate::report::problem::Problem;

/// A run that looks and has not changed anything yet.
pub(super) struct Session {
    pub(super) config: PatchConfig,
    pub(super) services: Services,
    pub(super) events: Events,
    pub(super) steps: StepLog,
}

impl Session {
    pub(super) fn new(config: PatchConfig, agent: Agent, events: Events) -> Self {
        Self {
            services: Services::new(
                agent,
                config.aws.clone(),
                config.falcon_api.clone(),
                events.clone(),
            ),
            config,
            steps: StepLog::new(events.clone()),
            events,
        }
    }

    /// Gathers the facts; fails where the run is impossible.
    pub(super) async fn look(&self) -> Result<Box<Progress>, StepFailure> {
        let title = "Look at the images, the registry and the engine";
        let look = |events| async move { self.gather(&events).await };
        self.steps.run(title, look).await
    }

    async fn gather(&self, events: &StepEvents) -> Result<Box<Progress>, Problem> {
        let Self {
            config, services, ..
        } = self;
        // The look is by far the largest future of a run, so it lives on the heap; without its type the compiler has
        // less to prove of the whole run.
        let mut facts = gather::first(config, services).boxed().await;
        let mut state = TargetState::of(config, &facts);
        facts.graft_cache = match cache_question(config, &facts, state) {
            Some(question) => Some(self.ask_cache(question).boxed().await),
            None => None,
        };
        if uses_engine(config, &facts, state) {
            gather::engine(services, &mut facts).await;
        }
        if !changes_nothing(config, &facts, state) {
            gather::rest(config, services, &mut facts).await;
            state = TargetState::of(config, &facts);
        }
        let aws = services.aws().await.ok();
        for line in facts.lines(aws.map(Aws::origin)) {
            events.note(line);
        }
        if let Ok(options) = facts.falcon_options(config) {
            events.note(format!("Falcon: {}", options.describe()));
        }
        for line in facts.news() {
            events.news(line);
        }
        compare_customer_ids(config, services, events);
        warn_of_task_definition(&facts, events);
        log_graft_cache(&facts, events);
        let target = facts.target.as_ref().ok();
        if let Some(Ok(known)) =
            target.and_then(|target| Some(&target.current.as_ref()?.provenance))
        {
            log_ignored_records(known, events);
        }
        log_target_state(config, state, &facts, events);
        // This step is the one that fails where the run is impossible, so the plan is computed here too.
        plan(config, &facts, state)?;
        if !state.keeps_image() {
            warn_of_access(config, &facts, events);
            log_strategy(config, &facts, events);
            warn_of_layers(&facts, events);
        }
        Ok(Box::new(Progress::new(config, facts, state)))
    }

    /// Asks the graft cache in the target's repository.
    async fn ask_cache(&self, asked: CacheQuestion<'_>) -> GraftCacheFacts {
        let lookup = CacheLookup {
            repository: asked.repository,
            source: asked.source,
            options: &asked.options,
            question: &asked.question,
            trust: asked.trust,
        };
        let answer = if asked.is_missing {
            CacheAnswer::Missing { nearest: None }
        } else {
            lookup.answer(&self.services).await
        };
        GraftCacheFacts {
            question: asked.question,
            answer,
        }
    }
}
