//! Watches the deployment until it is over, or its time is.

use std::time::Duration;

use tokio::time::Instant;

use super::context::DeployRun;
use super::started::Started;
use super::watch_log::WatchLog;
use crate::adapters::aws::ecs::error::EcsError;
use crate::domain::ecs::deployment::change::{DeploymentChange, DeploymentEnd};
use crate::domain::ecs::deployment::detail::Detail;
use crate::domain::ecs::deployment::service::{Rollout, Service};
use crate::domain::ecs::deployment::verdict::{Moment, Verdict};
use crate::domain::reference::digest::Digest;
use crate::flow::effect::Effect;
use crate::flow::plan::deployment::DeploymentPlan;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

/// The end of a watch.
struct Watched {
    verdict: Verdict,
    /// The service as it was last seen.
    service: Option<Service>,
    /// The failure of the last look, where it failed.
    unseen: Option<EcsError>,
}

/// The record of the deployment, as far as it can be read.
#[derive(Default)]
struct Record {
    arn: Option<String>,
    last: Option<Detail>,
    is_off: bool,
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
        let end = self.follow(started, plan, &events).await?;
        self.record_end(started, &end.verdict);
        if end.verdict != Verdict::Completed {
            let unseen = end.unseen.as_ref();
            let failure = self.failure(&end.verdict, started, plan, unseen, &events);
            return Err(failure.await);
        }
        let own = end.service.as_ref();
        let own = own.and_then(|service| service.deployment(&started.watched.id));
        if own.is_some_and(|own| own.desired == 0) {
            warn_of_no_tasks(&plan.service.name, &events);
            return Ok(());
        }
        self.compare_images(started, plan, verified, &events).await
    }

    async fn follow(
        &self,
        started: &Started,
        plan: &DeploymentPlan<'_>,
        events: &StepEvents,
    ) -> Result<Watched, Problem> {
        let watched = &started.watched;
        let begun = Instant::now();
        let mut log = WatchLog::new(events, plan.service);
        let mut record = Record::default();
        let mut failed_at = None;
        let mut last = None;
        let mut is_renewed = false;
        let mut nth = 0;
        loop {
            let unseen = match self.ecs.service(self.subject()).await {
                Ok(service) => {
                    log.forget(UNSEEN);
                    is_renewed = false;
                    self.read_record(&mut record, started, &service, &mut log)
                        .await;
                    log.log(&watched.id, &service, record.last.as_ref());
                    let has_failed = has_failed(&service, &watched.id);
                    failed_at = has_failed.then(|| failed_at.unwrap_or_else(Instant::now));
                    let verdict = watched.judge(Moment {
                        service: &service,
                        detail: record.last.as_ref(),
                        elapsed: begun.elapsed(),
                        failed_for: failed_at.map(|at| at.elapsed()),
                    });
                    last = Some(service);
                    match verdict {
                        Verdict::Running => {}
                        Verdict::Failing { reason } => log_failing(&mut log, reason.as_deref()),
                        verdict => {
                            return Ok(Watched {
                                verdict,
                                service: last,
                                unseen: None,
                            });
                        }
                    }
                    None
                }
                // The clock of the agent may differ from that of AWS; keys that end for good are told the second time.
                Err(error) if error.is_expiry() && !is_renewed => {
                    self.ecs.renew_credentials().await;
                    is_renewed = true;
                    Some(error)
                }
                Err(error) if error.may_pass() => {
                    log.log_once(UNSEEN, format!("{error}; trying again"));
                    Some(error)
                }
                Err(error) => return Err(error.into()),
            };
            if unseen.is_some() && begun.elapsed() >= watched.limit {
                return Ok(Watched {
                    verdict: Verdict::TimedOut,
                    service: last,
                    unseen,
                });
            }
            self.wait(nth, watched.limit.saturating_sub(begun.elapsed()))
                .await;
            nth += 1;
        }
    }

    /// Waits for the next look, which is at the latest when the time is over.
    async fn wait(&self, nth: u32, left: Duration) {
        let wait = self.session.pace.wait(nth);
        if left.is_zero() {
            wait.await;
        } else {
            // Either way it is time to look.
            let _ = tokio::time::timeout(left, wait).await;
        }
    }

    /// Reads the record of the deployment. Without the right to it, or in a region without it, details are missing.
    async fn read_record(
        &self,
        record: &mut Record,
        started: &Started,
        service: &Service,
        log: &mut WatchLog<'_>,
    ) {
        let is_own = service
            .primary()
            .is_some_and(|primary| primary.id == started.watched.id);
        // The service may still name the record of the deployment before.
        if record.arn.is_none() && is_own && service.detail != started.former_detail {
            record.arn.clone_from(&service.detail);
        }
        let Some(arn) = record.arn.as_deref().filter(|_| !record.is_off) else {
            return;
        };
        match self.ecs.service_deployment(self.subject(), arn).await {
            Ok(detail) => record.last = detail,
            // The last one stays: it does not say that the deployment is over.
            Err(error) if error.may_pass() => {}
            Err(error) => {
                record.is_off = true;
                record.last = None;
                log.log_once(DETAIL, format!("{error}, so details are missing"));
            }
        }
    }

    fn record_end(&self, started: &Started, verdict: &Verdict) {
        let end = match verdict {
            Verdict::Completed => DeploymentEnd::Completed,
            Verdict::Failed { .. } => DeploymentEnd::Failed,
            Verdict::RolledBack { .. } => DeploymentEnd::RolledBack,
            Verdict::Superseded { .. } => DeploymentEnd::Replaced,
            // It goes on, as the effect of its start says.
            Verdict::TimedOut | Verdict::Running | Verdict::Failing { .. } => return,
        };
        let (id, service) = (started.watched.id.clone(), self.subject().1.to_owned());
        let begun = DeploymentChange::Started {
            id: id.clone(),
            service: service.clone(),
        };
        let ended = DeploymentChange::Ended { id, service, end };
        self.effects
            .complete(&Effect::Deployment(begun), Effect::Deployment(ended));
    }
}

/// The topic of looks that fail.
const UNSEEN: &str = "unseen";

/// The topic of details that are missing.
const DETAIL: &str = "detail";

/// The topic of a deployment that will fail.
const FAILING: &str = "failing";

fn has_failed(service: &Service, id: &str) -> bool {
    let own = service.deployment(id);
    own.is_some_and(|own| own.rollout == Some(Rollout::Failed))
}

fn log_failing(log: &mut WatchLog<'_>, reason: Option<&str>) {
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    log.log_once(FAILING, format!("The deployment has failed{reason}"));
}

fn warn_of_no_tasks(service: &str, events: &StepEvents) {
    events.warning(
        Code::EcsDeploymentEmpty,
        format!("The service `{service}` has a desired count of 0, so the deployment started no task and tested nothing"),
        Some("Raise the service's desired count, and look at its first tasks".to_owned()),
    );
}
