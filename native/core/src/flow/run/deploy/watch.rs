//! Watches the deployment until it is over, or its time is.

use tokio::time::Instant;

use super::context::DeployRun;
use super::record::Record;
use super::started::Started;
use super::watch_log::WatchLog;
use crate::adapters::aws::ecs::error::EcsError;
use crate::domain::ecs::deployment::change::{DeploymentChange, DeploymentEnd};
use crate::domain::ecs::deployment::service::{Rollout, Service};
use crate::domain::ecs::deployment::verdict::{Moment, Rollback, Verdict};
use crate::domain::reference::digest::Digest;
use crate::flow::effect::Effect;
use crate::flow::plan::deployment::DeploymentPlan;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

/// The watch over one deployment.
struct Watch<'a> {
    run: &'a DeployRun,
    started: &'a Started,
    log: WatchLog<'a>,
    record: Record,
    begun: Instant,
    /// Time when the deployment was first seen to have failed.
    failed_at: Option<Instant>,
    /// The name of the service, as the effects have it.
    name: &'a str,
    /// The verdict if the time were over now.
    at_limit: Verdict,
    /// The service as it was last seen.
    service: Option<Service>,
    /// The failure of the last look, where it failed.
    unseen: Option<EcsError>,
    /// True if credentials were fetched anew since the last look that did not fail.
    is_renewed: bool,
}

impl DeployRun {
    /// Waits for the deployment, and checks that its tasks run the verified image.
    pub(super) async fn watch(
        &self,
        started: &Started,
        plan: &DeploymentPlan<'_>,
        verified: &Digest,
        events: StepEvents,
    ) -> Result<(), Problem> {
        let mut watch = Watch {
            run: self,
            started,
            log: WatchLog::new(&events, plan.service),
            record: Record::default(),
            begun: Instant::now(),
            failed_at: None,
            name: &plan.service.name,
            at_limit: Verdict::TimedOut,
            service: None,
            unseen: None,
            is_renewed: false,
        };
        let verdict = watch.follow().await?;
        if let Some(end) = end(&verdict) {
            self.record_end(started, &plan.service.name, end);
        }
        if verdict != Verdict::Completed {
            let unseen = watch.unseen.as_ref();
            let failure = self.failure(&verdict, started, plan, unseen, &events);
            return Err(failure.await);
        }
        let own = watch.service.as_ref();
        let own = own.and_then(|service| service.deployment(&started.watched.id));
        if own.is_some_and(|own| own.desired == 0) {
            let command = self.session.update_command(self.ecs.region());
            warn_of_no_tasks(&plan.service.name, &command, &events);
            return Ok(());
        }
        self.compare_images(started, plan, verified, &events).await
    }

    /// Records what has become of a deployment that this run began.
    fn record_end(&self, started: &Started, service: &str, end: DeploymentEnd) {
        if !started.is_own {
            return;
        }
        let (id, service) = (started.watched.id.clone(), service.to_owned());
        let ended = |end| {
            let (id, service) = (id.clone(), service.clone());
            Effect::Deployment(DeploymentChange::Ended { id, service, end })
        };
        let begun = Effect::Deployment(DeploymentChange::Started {
            id: id.clone(),
            service: service.clone(),
        });
        self.effects.withdraw(&begun);
        self.effects
            .complete(&ended(DeploymentEnd::Failing), ended(end));
    }
}

/// The end that a verdict means; none where the deployment goes on, as the effect of its start says.
fn end(verdict: &Verdict) -> Option<DeploymentEnd> {
    Some(match verdict {
        Verdict::Completed => DeploymentEnd::Completed,
        Verdict::Failed { .. } => DeploymentEnd::Failed,
        Verdict::RolledBack { rollback, .. } => match rollback {
            Rollback::Done => DeploymentEnd::RolledBack,
            Rollback::Failed => DeploymentEnd::RollbackFailed,
            Rollback::Unfinished => DeploymentEnd::Failing,
        },
        Verdict::Failing { .. } => DeploymentEnd::Failing,
        Verdict::Superseded { .. } => DeploymentEnd::Replaced,
        Verdict::TimedOut | Verdict::Running => return None,
    })
}

/// The topic of looks that fail.
const UNSEEN: &str = "unseen";

/// The topic of details that are missing.
const DETAIL: &str = "detail";

/// The topic of a deployment that will fail.
const FAILING: &str = "failing";

impl Watch<'_> {
    /// Looks again and again, until the verdict is the last one.
    async fn follow(&mut self) -> Result<Verdict, Problem> {
        let limit = self.started.watched.limit;
        let mut nth = 0;
        loop {
            let verdict = match self.run.ecs.service(self.run.subject()).await {
                Ok(service) => self.see(service).await,
                Err(error) => self.miss(error).await?,
            };
            match verdict {
                Verdict::Running => {}
                Verdict::Failing { reason } => {
                    // Whatever happens to the watch, the deployment does not simply go on.
                    let end = DeploymentEnd::Failing;
                    self.run.record_end(self.started, self.name, end);
                    self.log_failing(reason.as_deref());
                }
                verdict => return Ok(verdict),
            }
            let left = limit.saturating_sub(self.begun.elapsed());
            let wait = self.run.session.pace.wait(nth);
            // The last look is when the time is over; either way it is time to look.
            let _ = tokio::time::timeout(left, wait).await;
            nth += 1;
        }
    }

    /// Judges what a look shows.
    async fn see(&mut self, service: Service) -> Verdict {
        self.log.forget(UNSEEN);
        self.is_renewed = false;
        self.unseen = None;
        let (ecs, of) = (&self.run.ecs, self.run.subject());
        let missing = self.record.read(ecs, of, self.started, &service).await;
        if let Some(why) = missing {
            let line = format!("{why}, so details are missing");
            self.log.log_once(DETAIL, line);
        }
        let (watched, detail) = (&self.started.watched, self.record.last());
        self.log.log(&watched.id, &service, detail);
        let own = service.deployment(&watched.id);
        let has_failed = own.is_some_and(|own| own.rollout == Some(Rollout::Failed));
        self.failed_at = has_failed.then(|| self.failed_at.unwrap_or_else(Instant::now));
        let moment = |elapsed| Moment {
            service: &service,
            detail,
            elapsed,
            failed_for: self.failed_at.map(|at| at.elapsed()),
        };
        let verdict = watched.judge(moment(self.begun.elapsed()));
        self.at_limit = watched.judge(moment(watched.limit));
        self.service = Some(service);
        verdict
    }

    /// Decides on a look that failed: one that may pass costs nothing but time.
    async fn miss(&mut self, error: EcsError) -> Result<Verdict, Problem> {
        if error.is_expiry() && !self.is_renewed {
            // The clocks of agent and AWS may differ. Keys that cannot be renewed fail the next look as well.
            self.run.ecs.renew_credentials().await;
            self.is_renewed = true;
        } else if error.may_pass() || error.is_sign_in() {
            self.log.log_once(UNSEEN, format!("{error}; trying again"));
        } else {
            return Err(error.into());
        }
        self.unseen = Some(error);
        let is_over = self.begun.elapsed() >= self.started.watched.limit;
        Ok(if is_over {
            self.at_limit.clone()
        } else {
            Verdict::Running
        })
    }

    fn log_failing(&mut self, reason: Option<&str>) {
        let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
        let line = format!("The deployment has failed{reason}");
        self.log.log_once(FAILING, line);
    }
}

fn warn_of_no_tasks(service: &str, command: &str, events: &StepEvents) {
    events.warning(
        Code::EcsDeploymentEmpty,
        format!("The service `{service}` has a desired count of 0, so the deployment started no task and tested nothing"),
        Some(format!(
            "Raise the service's desired count, and look at its first tasks: `{command} --desired-count 1`"
        )),
    );
}
