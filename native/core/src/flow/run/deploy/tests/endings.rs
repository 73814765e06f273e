//! The ends of a deployment, and what is said of each.

use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::script::{
    DENIED, NEW, OLD, Script, begun, changed, deployment, done, old, refusal, run, run_with,
    service,
};
use crate::adapters::aws::tests::of;
use crate::domain::reference::digest::Digest;
use crate::flow::outcome::Ending;
use crate::report::code::Code;

fn stopped() -> Value {
    json!({
        "taskArn": "arn:aws:ecs:eu-west-1:123456789012:task/prod/t1", "startedBy": "ecs-svc/2",
        "stopCode": "EssentialContainerExited", "stoppedReason": "Essential container in task exited",
        "containers": [{"name": "web", "exitCode": 1, "imageDigest": Digest::of(b"verified").as_str()}],
    })
}

fn because(mut deployment: Value, reason: &str) -> Value {
    deployment["rolloutStateReason"] = reason.into();
    deployment
}

#[tokio::test]
async fn every_change_is_one_line_and_the_running_image_is_compared() {
    let progress = |running| deployment(2, NEW, "IN_PROGRESS", (running, 2));
    let event =
        |id: u32| json!({"id": id.to_string(), "message": format!("(service web) event {id}.")});
    let with_events = |deployments: &[Value], ids: &[u32]| {
        let events: Vec<Value> = ids.iter().map(|id| event(*id)).collect();
        changed(deployments, |s| s["events"] = events.into())
    };
    let script = Script::new().tasks(&[stopped()]).on(
        "DescribeServices",
        vec![
            with_events(&[old()], &[1]),
            with_events(&[progress(0), old()], &[1]),
            with_events(&[progress(0), old()], &[2, 1]),
            with_events(&[progress(1), old()], &[3, 2, 1]),
            with_events(&[done(), old()], &[3, 2, 1]),
        ],
    );
    let run = run(script, |_| ()).await;
    assert!(run.is_deployed(), "{:?}", run.failure());
    let start = run
        .log
        .iter()
        .position(|line| line.starts_with("deployment "));
    let lines = &run.log[start.expect("a start") + 1..];
    let verified = format!(
        "1 running tasks report {}, as verified",
        Digest::of(b"verified")
    );
    assert_eq!(
        lines,
        [
            "0 of 2 tasks run, 2 pending",
            "ECS: (service web) event 2.",
            "ECS: (service web) event 3.",
            "1 of 2 tasks run, 1 pending",
            "2 of 2 tasks run, 0 pending",
            &verified,
        ]
    );
    assert_eq!(run.count("UpdateService"), 1);
    let two = |running| (running, Some(2));
    assert_eq!(run.progress, [two(0), two(0), two(1), two(2)]);
}

#[tokio::test]
async fn a_service_by_its_arn_is_named_by_its_name() {
    let script = Script::new().then(vec![service(&[done()])]);
    let arn = "arn:aws:ecs:eu-west-1:123456789012:service/prod/web";
    let run = run(script, |i| i.ecs_service = arn.to_owned()).await;
    let Ok(Ending::Deployed(deployed)) = &run.ending else {
        panic!("{:?}", run.failure())
    };
    let effects: Vec<String> = deployed.effects.iter().map(ToString::to_string).collect();
    assert_eq!(effects.len(), 3, "{effects:?}");
    assert_eq!(
        effects[2],
        "started the deployment `ecs-svc/2` of the ECS service `web`, which completed"
    );
}

#[tokio::test]
async fn running_tasks_are_compared_over_all_pages_and_tries() {
    let task = |id: &str| {
        let mut task = stopped();
        task["taskArn"] = id.into();
        task
    };
    let mut other = task("t2");
    other["containers"][0]["imageDigest"] = Digest::of(b"other").as_str().into();
    let pages = vec![
        (500, json!({})),
        (200, json!({"taskArns": ["t1"], "nextToken": "next"})),
        (200, json!({"taskArns": ["t2"]})),
    ];
    for (second, code) in [(task("t2"), None), (other, Some(Code::EcsImageDiffers))] {
        let described = [task("t1"), second].map(|task| (200, json!({"tasks": [task]})));
        let script = Script::new()
            .then(vec![service(&[done()])])
            .on("ListTasks", pages.clone())
            .on("DescribeTasks", described.to_vec());
        let run = run(script, |_| ()).await;
        let found = (!run.is_deployed()).then(|| run.failure().0);
        assert_eq!(found, code, "{:?}", run.log);
        let two = run
            .log
            .iter()
            .any(|line| line.starts_with("2 running tasks"));
        assert_eq!(two, code.is_none(), "{:?}", run.log);
    }
}

#[tokio::test]
async fn a_failure_names_the_tasks_that_stopped_and_their_logs() {
    let failed = because(
        deployment(2, NEW, "FAILED", (0, 2)),
        "tasks failed to start.",
    );
    let script = Script::new()
        .tasks(&[stopped()])
        .then(vec![service(&[begun(), old()]), service(&[failed, old()])]);
    let (code, text, effects) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::EcsDeploymentFailed);
    assert_eq!(
        text.lines().collect::<Vec<_>>(),
        [
            "The deployment `ecs-svc/2` of the service `web` failed, and was not rolled back",
            "ECS: tasks failed to start.",
            "task t1: EssentialContainerExited: Essential container in task exited; container `web`: exit code 1; its log: group `/ecs/web`, stream `app/web/t1`",
        ]
    );
    let last = effects.last().expect("an effect");
    assert!(
        last.ends_with("`ecs-svc/2` of the ECS service `web`, which failed"),
        "{last}"
    );
}

#[tokio::test]
async fn a_rollback_is_a_failure_although_the_service_is_stable() {
    let breaker = "ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/1.";
    let rolling = because(deployment(3, OLD, "IN_PROGRESS", (1, 2)), breaker);
    let failed = deployment(2, NEW, "FAILED", (0, 2));
    for (state, end) in [
        ("COMPLETED", "which failed and was rolled back"),
        ("FAILED", "which failed, and so did its rollback"),
    ] {
        let back = because(deployment(3, OLD, state, (2, 2)), breaker);
        let script = Script::new().then(vec![
            service(&[begun(), old()]),
            service(&[rolling.clone(), failed.clone()]),
            service(&[back]),
        ]);
        let run = run(script, |_| ()).await;
        let (code, text, effects) = run.failure();
        assert_eq!(code, Code::EcsDeploymentRolledBack);
        assert!(text.contains(&format!("ECS: {breaker}")), "{text}");
        let line = format!("The deployment has failed: {breaker}");
        assert!(run.log.contains(&line));
        assert_eq!(effects.len(), 3, "{effects:?}");
        assert!(effects[2].ends_with(end), "{effects:?}");
    }
}

#[tokio::test]
async fn a_watch_that_ends_during_a_rollback_reports_the_failure() {
    let rolling = because(deployment(3, OLD, "IN_PROGRESS", (1, 2)), "rolling back");
    let failed = deployment(2, NEW, "FAILED", (0, 2));
    let looks = vec![
        service(&[begun(), old()]),
        service(&[rolling, failed]),
        refusal(DENIED),
    ];
    let (code, _, effects) = run(Script::new().then(looks), |_| ()).await.failure();
    assert_eq!(code, Code::AwsDenied);
    assert_eq!(effects.len(), 3, "{effects:?}");
    assert!(
        effects[2].ends_with("which has failed, and may still be rolled back"),
        "{effects:?}"
    );
}

#[tokio::test]
async fn another_deployment_is_no_fault_of_the_image() {
    let other = deployment(3, "web:9", "IN_PROGRESS", (0, 2));
    let script = Script::new().then(vec![service(&[other, begun()])]);
    let run = run(script, |_| ()).await;
    let (code, text, _) = run.failure();
    assert_eq!(code, Code::EcsDeploymentSuperseded);
    assert!(
        text.ends_with("was replaced by another deployment `ecs-svc/3`"),
        "{text}"
    );
    assert_eq!(run.count("ListTasks"), 0);
}

#[tokio::test]
async fn time_ends_the_step_and_not_the_deployment() {
    let script = Script::new().then(vec![service(&[begun(), old()])]);
    let short = |config| crate::flow::config::deploy::DeployConfig {
        limit: Duration::from_millis(100),
        ..config
    };
    let run = run_with(script, |_| (), short, of, CancellationToken::new()).await;
    let (code, text, effects) = run.failure();
    assert_eq!(code, Code::EcsDeploymentTimedOut, "{text}");
    let last = effects.last().expect("an effect");
    assert!(last.ends_with("which goes on"), "{last}");
}

#[tokio::test]
async fn looks_that_fail_for_a_while_are_no_failure() {
    let throttled = refusal("ThrottlingException");
    let script = Script::new().then(vec![
        throttled.clone(),
        throttled,
        (500, json!({})),
        (0, json!({})),
        service(&[done()]),
    ]);
    let run = run(script, |_| ()).await;
    assert!(run.is_deployed(), "{:?}", run.failure());
    let told = run.log.iter().filter(|line| line.ends_with("trying again"));
    assert_eq!(told.count(), 1, "{:?}", run.log);
}

#[tokio::test]
async fn a_look_that_is_denied_ends_the_watch_and_not_the_deployment() {
    let script = Script::new().then(vec![service(&[begun()]), refusal(DENIED)]);
    let (code, _, effects) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::AwsDenied);
    assert!(
        effects
            .last()
            .is_some_and(|last| last.ends_with("which goes on"))
    );
}

#[tokio::test]
async fn a_service_without_tasks_is_a_warning() {
    let none = deployment(2, NEW, "COMPLETED", (0, 0));
    let run = run(Script::new().then(vec![service(&[none])]), |_| ()).await;
    assert!(run.is_deployed(), "{:?}", run.failure());
    assert_eq!(run.warnings, [Code::EcsDeploymentEmpty]);
}

#[tokio::test]
async fn tasks_that_report_another_image_fail_the_step() {
    let mut task = stopped();
    task["containers"][0]["imageDigest"] = Digest::of(b"other").as_str().into();
    let script = Script::new().tasks(&[task]).then(vec![service(&[done()])]);
    let (code, text, effects) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::EcsImageDiffers, "{text}");
    assert!(
        effects
            .last()
            .is_some_and(|last| last.ends_with("which completed"))
    );
}
