use serde_json::json;

use crate::domain::ecs::deployment::task::{
    RunningImages, Task, TaskContainer, compare_images, describe_ends,
};
use crate::domain::ecs::log_stream::LogStreams;
use crate::domain::reference::digest::Digest;

const OF: (&str, &str) = ("ecs-svc/2", "web:2");

fn logs() -> LogStreams {
    let options = json!({"awslogs-group": "/ecs/web", "awslogs-stream-prefix": "app"});
    let web =
        json!({"name": "web", "logConfiguration": {"logDriver": "awslogs", "options": options}});
    let proxy = json!({"name": "proxy", "logConfiguration": {"logDriver": "splunk"}});
    let input = json!({"containerDefinitions": [web, proxy]});
    LogStreams::read(input.as_object().expect("an object"))
}

fn task(id: &str, at: i64, code: &str, reason: &str) -> Task {
    Task {
        id: id.to_owned(),
        started_by: Some(OF.0.to_owned()),
        stop_code: Some(code.to_owned()),
        stopped_reason: Some(reason.to_owned()),
        stopped_at: Some(at),
        ..Task::default()
    }
}

fn ended(name: &str, exit_code: Option<i32>, reason: Option<&str>) -> TaskContainer {
    TaskContainer {
        name: name.to_owned(),
        exit_code,
        reason: reason.map(str::to_owned),
        image_digest: None,
    }
}

#[test]
fn an_end_has_reason_exit_code_and_log() {
    let mut crashed = task(
        "t1",
        1,
        "EssentialContainerExited",
        "Essential container in task exited",
    );
    crashed.containers = vec![
        ended("web", Some(137), Some("OutOfMemoryError: killed")),
        ended("proxy", Some(0), None),
        ended("idle", None, None),
    ];
    let lines = describe_ends(vec![crashed], OF, &logs());
    assert_eq!(
        lines,
        [
            "task t1: EssentialContainerExited: Essential container in task exited; container `web`: exit code 137 (killed, often for lack of memory), OutOfMemoryError: killed; its log: group `/ecs/web`, stream `app/web/t1`; container `proxy`: exit code 0"
        ]
    );
}

#[test]
fn a_container_that_never_started_has_no_log() {
    let mut unpulled = task(
        "t1",
        1,
        "TaskFailedToStart",
        "CannotPullContainerError: not found",
    );
    unpulled.containers = vec![ended("web", None, Some("CannotPullContainerError"))];
    let lines = describe_ends(vec![unpulled], OF, &logs());
    assert_eq!(
        lines,
        [
            "task t1: TaskFailedToStart: CannotPullContainerError: not found; container `web`: CannotPullContainerError"
        ]
    );
}

#[test]
fn the_newest_ends_come_first_and_scaling_last() {
    let tasks = vec![
        task(
            "scaled",
            9,
            "ServiceSchedulerInitiated",
            "Scaling activity initiated by deployment",
        ),
        task("by-hand", 8, "UserInitiated", "Task stopped by user"),
        task("old", 1, "TaskFailedToStart", "no"),
        task(
            "sick",
            3,
            "ServiceSchedulerInitiated",
            "Task failed container health checks",
        ),
        task("new", 5, "TaskFailedToStart", "no"),
    ];
    let lines = describe_ends(tasks, OF, &logs());
    let ids: Vec<&str> = lines
        .iter()
        .map(|line| line.split([' ', ':']).nth(1).expect("an ID"))
        .collect();
    assert_eq!(ids, ["new", "sick", "old"]);
}

#[test]
fn tasks_of_other_deployments_do_not_count() {
    let other = Task {
        started_by: Some("ecs-svc/1".to_owned()),
        revision: Some("web:1".to_owned()),
        ..task("t1", 1, "TaskFailedToStart", "no")
    };
    let same_revision = Task {
        started_by: None,
        revision: Some(OF.1.to_owned()),
        ..task("t2", 1, "TaskFailedToStart", "no")
    };
    let lines = describe_ends(vec![other, same_revision], OF, &logs());
    assert_eq!(lines, ["task t2: TaskFailedToStart: no"]);
}

#[test]
fn running_images_are_compared_with_the_verified_one() {
    let verified = Digest::of(b"verified");
    let running = |id: &str, digest: Option<&str>| Task {
        id: id.to_owned(),
        started_by: Some(OF.0.to_owned()),
        containers: vec![
            TaskContainer {
                name: "web".to_owned(),
                image_digest: digest.map(str::to_owned),
                ..TaskContainer::default()
            },
            TaskContainer {
                name: "proxy".to_owned(),
                image_digest: Some("sha256:other".to_owned()),
                ..TaskContainer::default()
            },
        ],
        ..Task::default()
    };
    let compare = |tasks: &[Task]| compare_images(tasks, OF, "web", &verified);
    let good = running("t1", Some(verified.as_str()));
    assert_eq!(
        compare(&[good.clone(), good.clone()]),
        RunningImages::Same(2)
    );
    assert_eq!(compare(&[]), RunningImages::Unknown);
    assert_eq!(compare(&[running("t1", None)]), RunningImages::Unknown);
    let bad = running("t2", Some("sha256:bad"));
    let different = RunningImages::Different {
        task: "t2".to_owned(),
        digest: "sha256:bad".to_owned(),
    };
    assert_eq!(compare(&[good.clone(), bad.clone()]), different);
    let before = Task {
        started_by: Some("ecs-svc/1".to_owned()),
        ..bad
    };
    assert_eq!(compare(&[good, before]), RunningImages::Same(1));
}
