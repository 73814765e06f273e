use std::time::Duration;

use crate::domain::ecs::deployment::detail::Detail;
use crate::domain::ecs::deployment::service::{Deployment, Rollout, Service};
use crate::domain::ecs::deployment::verdict::{Moment, Rollback, Verdict, Watched};

use Rollout::{Completed, Failed, InProgress};

const LIMIT: Duration = Duration::from_mins(30);

pub(super) fn watched() -> Watched {
    Watched {
        id: "ecs-svc/2".to_owned(),
        revision: "web:2".to_owned(),
        earlier: vec!["ecs-svc/1".to_owned()],
        previous: Some("web:1".to_owned()),
        rolls_back: false,
        limit: LIMIT,
    }
}

pub(super) fn deployment(id: u32, revision: u32, rollout: Rollout) -> Deployment {
    Deployment {
        created: None,
        id: format!("ecs-svc/{id}"),
        task_definition: format!("web:{revision}"),
        rollout: Some(rollout),
        desired: 2,
        running: 2,
        ..Deployment::default()
    }
}

/// The service with these deployments, the first of which is the primary one.
pub(super) fn service(mut deployments: Vec<Deployment>) -> Service {
    if let Some(first) = deployments.first_mut() {
        first.is_primary = true;
    }
    Service {
        name: "web".to_owned(),
        status: "ACTIVE".to_owned(),
        deployments,
        ..Service::default()
    }
}

fn because(reason: &str, deployment: Deployment) -> Deployment {
    Deployment {
        reason: Some(reason.to_owned()),
        ..deployment
    }
}

pub(super) fn moment<'a>(service: &'a Service, detail: Option<&'a Detail>) -> Moment<'a> {
    Moment {
        service,
        detail,
        elapsed: Duration::from_mins(1),
        failed_for: None,
    }
}

fn judge(service: &Service) -> Verdict {
    watched().judge(moment(service, None))
}

pub(super) fn reason(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

#[test]
fn progress_then_done() {
    let both = service(vec![
        deployment(2, 2, InProgress),
        deployment(1, 1, Completed),
    ]);
    assert_eq!(judge(&both), Verdict::Running);
    // The tasks before may stay on for long, behind a load balancer.
    let draining = service(vec![
        deployment(2, 2, Completed),
        deployment(1, 1, Completed),
    ]);
    assert_eq!(judge(&draining), Verdict::Completed);
    let alone = service(vec![deployment(2, 2, Completed)]);
    assert_eq!(judge(&alone), Verdict::Completed);
    let none = service(vec![Deployment {
        desired: 0,
        running: 0,
        ..deployment(2, 2, Completed)
    }]);
    assert_eq!(judge(&none), Verdict::Completed);
}

#[test]
fn a_description_from_before_the_update_decides_nothing() {
    let old = service(vec![deployment(1, 1, Completed)]);
    assert_eq!(judge(&old), Verdict::Running);
    assert_eq!(judge(&service(Vec::new())), Verdict::Running);
}

#[test]
fn a_state_that_is_new_or_missing_is_no_success() {
    let new = Rollout::Other("PAUSED".to_owned());
    assert_eq!(
        judge(&service(vec![deployment(2, 2, new)])),
        Verdict::Running
    );
    let classic = |running, others: Vec<Deployment>| {
        let own = Deployment {
            rollout: None,
            running,
            ..deployment(2, 2, InProgress)
        };
        judge(&service([vec![own], others].concat()))
    };
    assert_eq!(classic(1, Vec::new()), Verdict::Running);
    assert_eq!(
        classic(2, vec![deployment(1, 1, Completed)]),
        Verdict::Running
    );
    assert_eq!(classic(2, Vec::new()), Verdict::Completed);
}

#[test]
fn a_failure_without_rollback_ends_at_once() {
    let own = because("tasks failed to start.", deployment(2, 2, Failed));
    let verdict = judge(&service(vec![own, deployment(1, 1, Completed)]));
    let expected = Verdict::Failed {
        reason: reason("tasks failed to start."),
    };
    assert_eq!(verdict, expected);
}

#[test]
fn a_failure_waits_for_the_rollback_that_the_service_has() {
    let found = service(vec![deployment(2, 2, Failed), deployment(1, 1, Completed)]);
    let with_rollback = Watched {
        rolls_back: true,
        ..watched()
    };
    let after = |seconds| {
        with_rollback.judge(Moment {
            failed_for: Some(Duration::from_secs(seconds)),
            ..moment(&found, None)
        })
    };
    assert_eq!(after(0), Verdict::Failing { reason: None });
    assert_eq!(after(59), Verdict::Failing { reason: None });
    // Nothing was deployed before, so there is nothing to roll back to.
    assert_eq!(after(60), Verdict::Failed { reason: None });
}

#[test]
fn a_rollback_is_told_by_the_revision_and_by_its_reason() {
    let breaker = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
    let rolling = |rollout: Rollout, text: Option<&str>, own: Vec<Deployment>| {
        let mut other = deployment(3, 1, rollout);
        other.reason = text.map(str::to_owned);
        judge(&service([vec![other], own].concat()))
    };
    let failed = vec![because("tasks failed to start.", deployment(2, 2, Failed))];
    let named = reason(breaker);
    let failing = Verdict::Failing {
        reason: named.clone(),
    };
    assert_eq!(rolling(InProgress, Some(breaker), failed.clone()), failing);
    let rolled_back = |reason, rollback| Verdict::RolledBack { reason, rollback };
    let done = rolling(Completed, Some(breaker), Vec::new());
    assert_eq!(done, rolled_back(named.clone(), Rollback::Done));
    let broken = rolling(Failed, Some(breaker), Vec::new());
    assert_eq!(broken, rolled_back(named, Rollback::Failed));
    let silent = rolling(Completed, None, failed);
    let own = reason("tasks failed to start.");
    assert_eq!(silent, rolled_back(own, Rollback::Done));
    // The revision before is all that is known.
    let only = rolling(Completed, None, Vec::new());
    assert_eq!(only, rolled_back(None, Rollback::Done));
}

#[test]
fn another_revision_or_the_same_again_supersedes() {
    for revision in [2, 3] {
        for own in [vec![deployment(2, 2, InProgress)], Vec::new()] {
            let other = deployment(3, revision, InProgress);
            let verdict = judge(&service([vec![other], own].concat()));
            let by = reason("ecs-svc/3");
            assert_eq!(verdict, Verdict::Superseded { by, reason: None });
        }
    }
}

#[test]
fn a_deployment_that_was_done_before_the_next_one_is_completed() {
    let next = deployment(3, 3, InProgress);
    let verdict = judge(&service(vec![next, deployment(2, 2, Completed)]));
    assert_eq!(verdict, Verdict::Completed);
}

#[test]
fn a_service_that_is_deleted_meanwhile_fails_the_deployment() {
    for status in ["DRAINING", "INACTIVE"] {
        let found = Service {
            status: status.to_owned(),
            ..service(vec![deployment(2, 2, InProgress)])
        };
        let reason = Some(format!("the service is {status}"));
        assert_eq!(judge(&found), Verdict::Failed { reason });
    }
}

#[test]
fn time_ends_what_is_not_over() {
    let late = |found: &Service| {
        watched().judge(Moment {
            elapsed: LIMIT,
            ..moment(found, None)
        })
    };
    let running = service(vec![deployment(2, 2, InProgress)]);
    assert_eq!(late(&running), Verdict::TimedOut);
    let done = service(vec![deployment(2, 2, Completed)]);
    assert_eq!(late(&done), Verdict::Completed);
    let rolling = service(vec![deployment(3, 1, InProgress), deployment(2, 2, Failed)]);
    let expected = Verdict::RolledBack {
        reason: None,
        rollback: Rollback::Unfinished,
    };
    assert_eq!(late(&rolling), expected);
    // A rollback was to come, and has not begun.
    let failed = service(vec![deployment(2, 2, Failed), deployment(1, 1, Completed)]);
    let rolls_back = Watched {
        rolls_back: true,
        ..watched()
    };
    let verdict = rolls_back.judge(Moment {
        elapsed: LIMIT,
        ..moment(&failed, None)
    });
    assert_eq!(verdict, Verdict::Failed { reason: None });
}
