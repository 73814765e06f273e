//! The verdict on one deployment, from what ECS says at one moment.
//!
//! ECS has no word for "rolled back" in a service's description: a rollback is another deployment, of the revision
//! before. So the verdict goes by the ID of the deployment, and never by the primary one being stable.

use std::time::Duration;

use super::detail::{Detail, Status};
use super::service::{Deployment, Rollout, Service};

/// Time in which a rollback begins after its deployment has failed.
const ROLLBACK_BEGINS: Duration = Duration::from_mins(1);

/// The deployment that is watched.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// Its ID.
    pub id: String,
    /// The ARN of its revision.
    pub revision: String,
    /// The IDs of the deployments before it.
    pub earlier: Vec<String>,
    /// The ARN of the revision before it.
    pub previous: Option<String>,
    /// True if the service rolls a failed deployment back.
    pub rolls_back: bool,
    /// The time that it may take.
    pub limit: Duration,
}

/// The state of the service at one moment, as ECS describes it.
#[derive(Clone, Copy, Debug)]
pub struct Moment<'a> {
    /// The service.
    pub service: &'a Service,
    /// The record of the watched deployment, as far as it can be read.
    pub detail: Option<&'a Detail>,
    /// Time since the deployment began.
    pub elapsed: Duration,
    /// Time since the deployment was first seen to have failed.
    pub failed_for: Option<Duration>,
}

/// The state of a rollback that counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rollback {
    /// The revision before runs again.
    Done,
    /// It failed as well.
    Failed,
    /// The time ended before it did.
    Unfinished,
}

/// A verdict on the deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is under way.
    Running,
    /// It will fail, and is not over.
    Failing {
        /// ECS's reason.
        reason: Option<String>,
    },
    /// It is done.
    Completed,
    /// It failed, and nothing rolls it back.
    Failed {
        /// ECS's reason.
        reason: Option<String>,
    },
    /// It failed and was rolled back.
    RolledBack {
        /// ECS's reason.
        reason: Option<String>,
        /// The state of the rollback.
        rollback: Rollback,
    },
    /// Another deployment took its place.
    Superseded {
        /// The ID of the other one, where it is known.
        by: Option<String>,
        /// ECS's reason.
        reason: Option<String>,
    },
    /// Its time is over, and it goes on.
    TimedOut,
}

impl Watched {
    /// Judges the deployment.
    #[must_use]
    pub fn judge(&self, moment: Moment<'_>) -> Verdict {
        let verdict = self.judge_without_limit(moment);
        if moment.elapsed < self.limit {
            return verdict;
        }
        match verdict {
            Verdict::Running => Verdict::TimedOut,
            Verdict::Failing { reason } if self.is_rolling_back(moment) => Verdict::RolledBack {
                reason,
                rollback: Rollback::Unfinished,
            },
            Verdict::Failing { reason } => Verdict::Failed { reason },
            ended => ended,
        }
    }

    /// Returns true if a rollback has begun: the record says so, or another deployment is the primary one.
    fn is_rolling_back(&self, moment: Moment<'_>) -> bool {
        let detail = moment.detail;
        let primary = moment.service.primary();
        detail.is_some_and(|detail| detail.status.is_rolling_back())
            || primary.is_some_and(|primary| primary.id != self.id)
    }

    fn judge_without_limit(&self, moment: Moment<'_>) -> Verdict {
        let Moment {
            service, detail, ..
        } = moment;
        let ended = detail.and_then(|detail| self.ended(service, detail));
        if let Some(verdict) = ended {
            return verdict;
        }
        if let Some(detail) = detail.filter(|detail| detail.status.is_rolling_back()) {
            let reason = detail.why().or_else(|| self.own_reason(service));
            return Verdict::Failing { reason };
        }
        if service.status != "ACTIVE" {
            let reason = Some(format!("the service is {}", service.status));
            return Verdict::Failed { reason };
        }
        match service.primary() {
            Some(primary) if primary.id == self.id => self.judge_primary(primary, moment),
            // A description may be older than the deployment, and then shows those before it.
            Some(primary) if self.earlier.contains(&primary.id) => Verdict::Running,
            Some(primary) => self.judge_replaced(primary, service),
            None => Verdict::Running,
        }
    }

    /// Returns the verdict where the record says that the deployment is over.
    fn ended(&self, service: &Service, detail: &Detail) -> Option<Verdict> {
        let reason = detail.why().or_else(|| self.own_reason(service));
        let rolled_back = |rollback| {
            Some(Verdict::RolledBack {
                reason: reason.clone(),
                rollback,
            })
        };
        match &detail.status {
            Status::Successful => Some(Verdict::Completed),
            Status::RollbackSuccessful => rolled_back(Rollback::Done),
            Status::RollbackFailed => rolled_back(Rollback::Failed),
            Status::Stopped => {
                let other = service.primary().filter(|primary| self.is_other(primary));
                Some(if other.is_some() || names_replacement(detail) {
                    let by = other.map(|primary| primary.id.clone());
                    Verdict::Superseded { by, reason }
                } else {
                    Verdict::Failed { reason }
                })
            }
            _ => None,
        }
    }

    fn judge_primary(&self, own: &Deployment, moment: Moment<'_>) -> Verdict {
        let reason = || own.reason.clone();
        match &own.rollout {
            // The record says later that it succeeded: traffic may still shift, and alarms be watched.
            Some(Rollout::Completed)
                if moment.detail.is_some_and(|known| !known.only_cleans_up()) =>
            {
                Verdict::Running
            }
            Some(Rollout::Completed) => Verdict::Completed,
            Some(Rollout::Failed) => {
                // A rollback begins some seconds after the failure, and not at all where nothing was deployed before.
                let waits = self.rolls_back || moment.detail.is_some();
                let is_recent = moment
                    .failed_for
                    .is_none_or(|known| known < ROLLBACK_BEGINS);
                if waits && is_recent {
                    Verdict::Failing { reason: reason() }
                } else {
                    Verdict::Failed { reason: reason() }
                }
            }
            None if is_stable(own, moment.service) => Verdict::Completed,
            Some(_) | None => Verdict::Running,
        }
    }

    /// Judges a deployment whose place another one has taken: ECS's own, which rolls back, or one that another run began.
    fn judge_replaced(&self, primary: &Deployment, service: &Service) -> Verdict {
        let own = service.deployment(&self.id);
        let has_failed = own.is_some_and(|own| own.rollout == Some(Rollout::Failed));
        let is_previous = self.previous.as_ref() == Some(&primary.task_definition)
            && primary.task_definition != self.revision;
        let is_rollback = has_failed || is_previous || names_rollback(primary);
        if !is_rollback {
            // It was done before the other one began.
            if own.is_some_and(|own| own.rollout == Some(Rollout::Completed)) {
                return Verdict::Completed;
            }
            return Verdict::Superseded {
                by: Some(primary.id.clone()),
                reason: None,
            };
        }
        let reason = primary.reason.clone();
        let reason = reason.or_else(|| self.own_reason(service));
        match &primary.rollout {
            Some(Rollout::Completed) => Verdict::RolledBack {
                reason,
                rollback: Rollback::Done,
            },
            Some(Rollout::Failed) => Verdict::RolledBack {
                reason,
                rollback: Rollback::Failed,
            },
            _ => Verdict::Failing { reason },
        }
    }

    fn is_other(&self, primary: &Deployment) -> bool {
        primary.id != self.id && !self.earlier.contains(&primary.id) && !names_rollback(primary)
    }

    fn own_reason(&self, service: &Service) -> Option<String> {
        let own = service.deployment(&self.id)?;
        own.reason
            .clone()
            .filter(|_| own.rollout == Some(Rollout::Failed))
    }
}

/// ECS's words for the deployment that replaces a failed one
/// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>).
fn names_rollback(primary: &Deployment) -> bool {
    let reason = primary.reason.as_deref().unwrap_or_default();
    let reason = reason.to_ascii_lowercase();
    ["rolling back", "rollback", "circuit breaker", "alarm"]
        .iter()
        .any(|mark| reason.contains(mark))
}

/// ECS's words for a deployment that another one ended, "Replaced by a new service deployment"
/// (<https://github.com/kayac/ecspresso/issues/961>).
fn names_replacement(detail: &Detail) -> bool {
    let reason = detail.reason.as_deref().unwrap_or_default();
    reason.to_ascii_lowercase().contains("replaced")
}

/// Judges by counts: behind a Classic Load Balancer a deployment has no state.
fn is_stable(own: &Deployment, service: &Service) -> bool {
    service.deployments.len() == 1 && own.pending == 0 && own.running == own.desired
}
