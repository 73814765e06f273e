use super::verdicts::{deployment, moment, reason, service, watched};
use crate::domain::ecs::deployment::detail::{Detail, Status};
use crate::domain::ecs::deployment::service::{Rollout, Service};
use crate::domain::ecs::deployment::verdict::{Rollback, Verdict};

use Rollout::{Completed, InProgress};

fn detail(status: Status) -> Detail {
    Detail {
        created: None,
        status,
        reason: Some("the record says so".to_owned()),
        rollback_reason: None,
        stage: None,
        pauses: Vec::new(),
        alarms: Vec::new(),
    }
}

fn judge_with(service: &Service, status: Status) -> Verdict {
    let detail = detail(status);
    watched().judge(moment(service, Some(&detail)))
}

#[test]
fn the_record_settles_what_the_service_leaves_open() {
    let running = service(vec![deployment(2, 2, InProgress)]);
    for status in [
        Status::Pending,
        Status::InProgress,
        Status::StopRequested,
        Status::Other("PAUSED".to_owned()),
    ] {
        assert_eq!(judge_with(&running, status), Verdict::Running);
    }
    assert_eq!(judge_with(&running, Status::Successful), Verdict::Completed);
    let said = reason("the record says so");
    for status in [Status::RollbackRequested, Status::RollbackInProgress] {
        let expected = Verdict::Failing {
            reason: said.clone(),
        };
        assert_eq!(judge_with(&running, status), expected);
    }
    for (status, rollback) in [
        (Status::RollbackSuccessful, Rollback::Done),
        (Status::RollbackFailed, Rollback::Failed),
    ] {
        let expected = Verdict::RolledBack {
            reason: said.clone(),
            rollback,
        };
        assert_eq!(judge_with(&running, status), expected);
    }
    let stopped = Verdict::Failed { reason: said };
    assert_eq!(judge_with(&running, Status::Stopped), stopped);
}

#[test]
fn a_deployment_is_not_done_before_its_record_says_so() {
    // Traffic shifts step by step, and the bake time watches alarms.
    let found = service(vec![deployment(2, 2, Completed)]);
    assert_eq!(judge_with(&found, Status::InProgress), Verdict::Running);
    assert_eq!(judge_with(&found, Status::Successful), Verdict::Completed);
    let alarmed = judge_with(&found, Status::RollbackInProgress);
    assert!(matches!(alarmed, Verdict::Failing { .. }));
}

#[test]
fn a_deployment_is_done_while_only_old_tasks_are_removed() {
    let cleaning = |status, stage: &str, rollout| {
        let found = service(vec![deployment(2, 2, rollout), deployment(1, 1, Completed)]);
        let record = Detail {
            stage: reason(stage),
            ..detail(status)
        };
        watched().judge(moment(&found, Some(&record)))
    };
    let in_progress = || Status::InProgress;
    assert_eq!(
        cleaning(in_progress(), "CLEAN_UP", Completed),
        Verdict::Completed
    );
    assert_eq!(
        cleaning(in_progress(), "BAKE_TIME", Completed),
        Verdict::Running
    );
    assert_eq!(
        cleaning(in_progress(), "CLEAN_UP", InProgress),
        Verdict::Running
    );
    assert_eq!(
        cleaning(Status::StopRequested, "CLEAN_UP", Completed),
        Verdict::Running
    );
}

#[test]
fn a_record_that_was_stopped_for_another_is_superseded() {
    let replaced = Detail {
        reason: reason("Replaced by a new service deployment"),
        ..detail(Status::Stopped)
    };
    // The other one may carry the revision before, deployed by a person.
    let back = service(vec![deployment(3, 1, InProgress)]);
    let verdict = watched().judge(moment(&back, Some(&replaced)));
    assert!(matches!(verdict, Verdict::Superseded { .. }), "{verdict:?}");
    let unseen = service(vec![deployment(2, 2, InProgress)]);
    let verdict = watched().judge(moment(&unseen, Some(&replaced)));
    assert!(
        matches!(verdict, Verdict::Superseded { by: None, .. }),
        "{verdict:?}"
    );
    let other = service(vec![deployment(3, 3, InProgress)]);
    let verdict = judge_with(&other, Status::Stopped);
    assert!(
        matches!(verdict, Verdict::Superseded { by: Some(_), .. }),
        "{verdict:?}"
    );
}

#[test]
fn alarms_are_named() {
    let alarmed = Detail {
        rollback_reason: reason("alarm detected"),
        alarms: vec!["errors".to_owned(), "latency".to_owned()],
        ..detail(Status::RollbackSuccessful)
    };
    let found = service(vec![deployment(3, 1, Completed)]);
    let verdict = watched().judge(moment(&found, Some(&alarmed)));
    let expected = Verdict::RolledBack {
        reason: reason("alarm detected (alarms: errors, latency)"),
        rollback: Rollback::Done,
    };
    assert_eq!(verdict, expected);
}
