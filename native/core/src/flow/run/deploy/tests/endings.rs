//! The ends of a deployment, and what is said of each.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, future};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use super::script::{
    Answer, DENIED, NEW, OLD, Run, Script, begun, changed, deployment, done, old, refusal, run,
    run_with, service,
};
use crate::adapters::aws::tests::{of, provided};
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

fn is_deployed(run: &Run) -> bool {
    matches!(&run.ending, Ok(Ending::Deployed(_)))
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
    assert!(is_deployed(&run), "{:?}", run.failure());
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
    let back = because(deployment(3, OLD, "COMPLETED", (2, 2)), breaker);
    let failed = deployment(2, NEW, "FAILED", (0, 2));
    let script = Script::new().then(vec![
        service(&[begun(), old()]),
        service(&[rolling, failed]),
        service(&[back]),
    ]);
    let run = run(script, |_| ()).await;
    let (code, text, effects) = run.failure();
    assert_eq!(code, Code::EcsDeploymentRolledBack);
    assert!(text.contains(&format!("ECS: {breaker}")), "{text}");
    assert!(
        run.log
            .contains(&format!("The deployment has failed: {breaker}"))
    );
    assert!(
        effects[2].ends_with("which failed and was rolled back"),
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
    assert!(is_deployed(&run), "{:?}", run.failure());
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
async fn credentials_that_aws_calls_expired_are_fetched_anew_once() {
    let expired = refusal("ExpiredTokenException");
    let script = Script::new().then(vec![
        service(&[begun()]),
        expired.clone(),
        service(&[begun()]),
        expired.clone(),
        service(&[done()]),
    ]);
    let passed = run(script, |_| ()).await;
    assert!(is_deployed(&passed), "{:?}", passed.failure());
    let script = Script::new().then(vec![service(&[begun()]), expired]);
    let (code, _, effects) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::AwsCredentialsExpired);
    assert!(
        effects
            .last()
            .is_some_and(|last| last.ends_with("which goes on"))
    );
}

fn with_record(deployments: &[Value]) -> Answer {
    changed(deployments, |s| {
        s["currentServiceDeployment"] = "arn:record".into();
    })
}

#[tokio::test]
async fn denied_details_cost_details_alone() {
    let failed = deployment(2, NEW, "FAILED", (0, 2));
    for (last, code) in [(done(), None), (failed, Some(Code::EcsDeploymentFailed))] {
        for refused in [DENIED, "UnsupportedFeatureException"] {
            let script = Script::new()
                .then(vec![
                    with_record(&[begun()]),
                    with_record(std::slice::from_ref(&last)),
                ])
                .on("DescribeServiceDeployments", vec![refusal(refused)])
                .on("ListTasks", vec![refusal(DENIED)]);
            let run = run(script, |_| ()).await;
            let found = (!is_deployed(&run)).then(|| run.failure().0);
            assert_eq!(found, code, "{refused}");
            assert_eq!(run.count("DescribeServiceDeployments"), 1);
        }
    }
}

#[tokio::test]
async fn the_record_of_a_deployment_that_began_before_ours_decides_nothing() {
    let at = |deployment: Value, seconds: i64| {
        let mut deployment = deployment;
        deployment["createdAt"] = seconds.into();
        deployment
    };
    let foreign = json!({"status": "ROLLBACK_SUCCESSFUL", "createdAt": 990});
    let own = json!({"status": "SUCCESSFUL", "createdAt": 1001});
    let record = |record: Value| (200, json!({"serviceDeployments": [record]}));
    let script = Script::new()
        .then(vec![
            with_record(&[at(begun(), 1000)]),
            with_record(&[at(begun(), 1000)]),
            with_record(&[at(done(), 1000)]),
        ])
        .on(
            "DescribeServiceDeployments",
            vec![record(foreign), record(own)],
        );
    let run = run(script, |_| ()).await;
    assert!(is_deployed(&run), "{:?}", run.failure());
    assert!(run.count("DescribeServiceDeployments") >= 2);
}

#[tokio::test]
async fn stages_and_pauses_are_shown_and_the_record_ends_the_watch() {
    let record = |status: &str, stage: &str, hooks: Value| {
        let record =
            json!({"status": status, "lifecycleStage": stage, "lifecycleHookDetails": hooks});
        (200, json!({"serviceDeployments": [record]}))
    };
    let pause = json!([{"hookId": "hook-1", "targetType": "PAUSE", "status": "AWAITING_ACTION"}]);
    let script = Script::new()
        .then(vec![
            with_record(&[begun(), old()]),
            with_record(&[done(), old()]),
        ])
        .on(
            "DescribeServiceDeployments",
            vec![
                record("IN_PROGRESS", "TEST_TRAFFIC_SHIFT", json!([])),
                record("IN_PROGRESS", "POST_TEST_TRAFFIC_SHIFT", pause),
                record("IN_PROGRESS", "BAKE_TIME", json!([])),
                record("SUCCESSFUL", "CLEAN_UP", json!([])),
            ],
        );
    let run = run(script, |_| ()).await;
    assert!(is_deployed(&run), "{:?}", run.failure());
    let stages = run
        .log
        .iter()
        .filter_map(|line| line.strip_prefix("stage "));
    assert_eq!(
        stages.collect::<Vec<_>>(),
        [
            "TEST_TRAFFIC_SHIFT",
            "POST_TEST_TRAFFIC_SHIFT",
            "BAKE_TIME",
            "CLEAN_UP"
        ]
    );
    assert!(
        run.log
            .iter()
            .any(|line| line.contains("the pause hook hook-1 waits"))
    );
}

#[tokio::test]
async fn a_service_without_tasks_is_a_warning() {
    let none = deployment(2, NEW, "COMPLETED", (0, 0));
    let run = run(Script::new().then(vec![service(&[none])]), |_| ()).await;
    assert!(is_deployed(&run), "{:?}", run.failure());
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

/// A provider whose every key ends soon.
#[derive(Debug, Default)]
struct ShortLived(AtomicU32);

impl ProvideCredentials for ShortLived {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        let key = format!("AKIA{}", self.0.fetch_add(1, Ordering::SeqCst));
        let end = SystemTime::now() + Duration::from_mins(1);
        let keys = Credentials::new(key, "shh", None, Some(end), "test");
        future::ProvideCredentials::ready(Ok(keys))
    }
}

#[tokio::test]
async fn credentials_are_renewed_while_the_step_waits() {
    let waiting = vec![service(&[begun(), old()]); 4];
    let script = Script::new().then([waiting, vec![service(&[done()])]].concat());
    let aws = |server: &_| provided(server, ShortLived::default());
    let run = run_with(script, |_| (), |c| c, aws, CancellationToken::new()).await;
    assert!(is_deployed(&run), "{:?}", run.failure());
    let looks = run
        .keys
        .iter()
        .filter(|(action, _)| action == "DescribeServices");
    let mut keys: Vec<&String> = looks.map(|(_, key)| key).collect();
    let all = keys.len();
    keys.sort();
    keys.dedup();
    assert_eq!((all, keys.len()), (6, 6), "each look has fresh credentials");
}
