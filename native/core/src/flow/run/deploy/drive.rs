//! Runs a deployment from its look to its one result, and watches for cancellation.

use std::path::PathBuf;

use tokio_util::sync::CancellationToken;

use super::context::{DeployRun, Products};
use super::pace::Pace;
use super::session::{DeploySession, Looked};
use super::started::Started;
use crate::domain::agent::Agent;
use crate::domain::aws::revision::Revision;
use crate::flow::config::deploy::DeployConfig;
use crate::flow::outcome::{Deployed, DeploymentResult, Ending};
use crate::flow::plan::deployment::{
    DeploymentPlan, Need, decide, register_title, update_title, wait_title, write_title,
};
use crate::flow::run::step_log::StepFailure;
use crate::flow::services::Services;
use crate::report::event::{Event, Events};
use crate::report::panic::guarded;
use crate::report::problem::Problem;

/// Deploys, or plans to.
pub(in crate::flow::run) async fn run(
    config: DeployConfig,
    agent: Agent,
    events: Events,
    cancel: CancellationToken,
) -> Result<Ending, StepFailure> {
    let services = Services::new(agent, config.verify.aws.clone(), None, events.clone());
    let session = DeploySession::new(config, services, events, Pace::default());
    Box::pin(deploy(session, cancel)).await
}

/// Deploys in a session.
async fn deploy(session: DeploySession, cancel: CancellationToken) -> Result<Ending, StepFailure> {
    let Some(looked) = cancel.run_until_cancelled(Box::pin(session.look())).await else {
        return Ok(Ending::Cancelled {
            effects: Vec::new(),
            cleanup: Vec::new(),
        });
    };
    Box::pin(after_look(session, looked?, cancel)).await
}

/// Does what the look has shown to be needed.
pub(super) async fn after_look(
    session: DeploySession,
    looked: Box<Looked>,
    cancel: CancellationToken,
) -> Result<Ending, StepFailure> {
    let plan = plan(&session.config, &looked)?;
    let stages = plan.stages(&session.config);
    if session.config.only_plan {
        let result = match plan.need {
            Need::Nothing => DeploymentResult::Unneeded,
            Need::Watch | Need::Restart(_) | Need::Revision => DeploymentResult::Planned,
        };
        let deployed = Box::new(without_changes(&looked, &plan, result));
        return Ok(Ending::DeploymentPlanned(deployed, stages));
    }
    if plan.need == Need::Nothing {
        let deployed = without_changes(&looked, &plan, DeploymentResult::Unneeded);
        return Ok(Ending::Deployed(Box::new(deployed)));
    }
    session.events.send(Event::Planned { stages });
    let run = DeployRun::open(session, looked.ecs.clone())?;
    // A panic between two steps must not pass the cleanup by.
    let work = guarded(Box::pin(run.carry_out(&looked)));
    let ended = cancel.run_until_cancelled(work).await;
    Ok(run.end(ended).await)
}

fn plan<'a>(config: &DeployConfig, looked: &'a Looked) -> Result<DeploymentPlan<'a>, Problem> {
    let image = looked.image.repository.at(&looked.image.digest);
    decide(config, &looked.facts, &image)
}

/// The outcome where nothing is changed.
fn without_changes(
    looked: &Looked,
    plan: &DeploymentPlan<'_>,
    result: DeploymentResult,
) -> Deployed {
    let revision = (plan.need != Need::Revision).then(|| plan.current.revision.clone());
    let products = Products {
        result,
        changed: matches!(plan.need, Need::Restart(_) | Need::Revision),
        deployment: None,
        revision,
        path: None,
    };
    deployed(looked, plan, products)
}

fn deployed(looked: &Looked, plan: &DeploymentPlan<'_>, products: Products) -> Deployed {
    Deployed {
        image: looked.image.clone(),
        cluster: plan.service.cluster.clone(),
        service: plan.service.name.clone(),
        result: products.result,
        changed: products.changed,
        deployment: products.deployment,
        revision: products.revision,
        task_definition: products.path,
        effects: Vec::new(),
        cleanup: Vec::new(),
    }
}

impl DeployRun {
    async fn carry_out(&self, looked: &Looked) -> Result<Deployed, StepFailure> {
        let (config, steps) = (&self.session.config, &self.session.steps);
        let plan = plan(config, looked)?;
        let image = looked.image.repository.at(&looked.image.digest);
        let (revision, path) = if plan.need == Need::Revision {
            let (revision, path) = self.make_revision(&plan, &image).await?;
            (revision, Some(path))
        } else {
            (plan.current.revision.clone(), None)
        };
        let started = self.begin(&plan, &revision.arn).await?;
        let result = if config.waits {
            let watch = |events| self.watch(&started, &plan, &looked.image.digest, events);
            steps.run(wait_title(&plan.service.name), watch).await?;
            DeploymentResult::Completed
        } else {
            DeploymentResult::Started
        };
        let products = Products {
            result,
            changed: started.is_own,
            deployment: Some(started.watched.id),
            revision: Some(revision),
            path,
        };
        Ok(deployed(looked, &plan, products))
    }

    /// Writes the finished definition, and registers it.
    async fn make_revision(
        &self,
        plan: &DeploymentPlan<'_>,
        image: &str,
    ) -> Result<(Revision, PathBuf), StepFailure> {
        let (config, steps) = (&self.session.config, &self.session.steps);
        let text = plan.definition.with_image(image);
        let write = |_| async {
            let output = config.output.as_deref();
            let file = self.definition_file();
            file.write(plan.definition, output, &text).await
        };
        let path = steps.run(write_title(), write).await?;
        let register = |events| self.register(plan.definition, image, events);
        let title = register_title(&plan.definition.family);
        Ok((steps.run(title, register).await?, path))
    }

    /// Returns the deployment that is under way, or begins one.
    async fn begin(
        &self,
        plan: &DeploymentPlan<'_>,
        revision: &str,
    ) -> Result<Started, StepFailure> {
        let config = &self.session.config;
        if plan.need == Need::Watch
            && let Some(started) = Started::under_way(plan.service, revision, config.limit)
        {
            return Ok(started);
        }
        let update = |events| self.update(plan, revision, events);
        let title = update_title(&plan.service.name);
        self.session.steps.run(title, update).await
    }
}
