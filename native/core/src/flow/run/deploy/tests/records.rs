//! Records that ECS keeps of a deployment beside the service: stages, hooks and the end.

use serde_json::{Value, json};

use super::script::{
    Answer, DENIED, NEW, OLD, Script, begun, changed, definition, deployment, described, done,
    image, old, refusal, run, service,
};
use crate::flow::outcome::{DeploymentResult, Ending};
use crate::report::code::Code;

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
            let found = (!run.is_deployed()).then(|| run.failure().0);
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
    assert!(run.is_deployed(), "{:?}", run.failure());
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
    assert!(run.is_deployed(), "{:?}", run.failure());
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
async fn a_record_that_is_missing_for_a_moment_keeps_its_last_state() {
    let record = |status: &str| (200, json!({"serviceDeployments": [{"status": status}]}));
    let none = (200, json!({"serviceDeployments": []}));
    let script = Script::new()
        .then(vec![with_record(&[begun(), old()]), with_record(&[done()])])
        .on(
            "DescribeServiceDeployments",
            vec![
                record("ROLLBACK_IN_PROGRESS"),
                none,
                record("ROLLBACK_SUCCESSFUL"),
            ],
        );
    let run = run(script, |_| ()).await;
    assert_eq!(run.failure().0, Code::EcsDeploymentRolledBack);
    assert_eq!(run.count("DescribeServiceDeployments"), 3);
}

/// A service that shifts traffic in steps and is set to the verified image already.
fn shifting(rollout: &str, answer: Answer, moments: Vec<Answer>) -> Script {
    let shown = || {
        changed(&[deployment(1, OLD, rollout, (2, 2))], |s| {
            s["currentServiceDeployment"] = "arn:record".into();
            s["deploymentConfiguration"]["strategy"] = "BLUE_GREEN".into();
        })
    };
    let again = deployment(2, OLD, "IN_PROGRESS", (0, 2));
    let update = json!({"service": described(&[again, old()])});
    Script::new()
        .on(
            "DescribeTaskDefinition",
            vec![(200, definition(OLD, &image()))],
        )
        .on("DescribeServices", [vec![shown()], moments].concat())
        .on("DescribeServiceDeployments", vec![answer])
        .on("UpdateService", vec![(200, update)])
}

fn recorded(status: &str, stage: &str) -> Answer {
    let record = json!({"status": status, "lifecycleStage": stage});
    (200, json!({"serviceDeployments": [record]}))
}

#[tokio::test]
async fn the_record_shows_if_a_deployment_of_the_same_still_shifts_traffic() {
    let cases = [
        (
            recorded("SUCCESSFUL", "CLEAN_UP"),
            Some(DeploymentResult::Unneeded),
        ),
        (
            recorded("IN_PROGRESS", "CLEAN_UP"),
            Some(DeploymentResult::Unneeded),
        ),
        (recorded("IN_PROGRESS", "BAKE_TIME"), None),
        (recorded("PENDING", ""), None),
        (recorded("STATUS_OF_TOMORROW", ""), None),
        (recorded("STOP_REQUESTED", "BAKE_TIME"), None),
        (refusal(DENIED), Some(DeploymentResult::Unneeded)),
    ];
    for (answer, expected) in cases {
        let script = shifting("COMPLETED", answer.clone(), Vec::new()).on(
            "DescribeServiceDeployments",
            vec![answer.clone(), recorded("SUCCESSFUL", "CLEAN_UP")],
        );
        let run = run(script, |_| ()).await;
        let Ok(Ending::Deployed(deployed)) = &run.ending else {
            panic!("{answer:?}: {:?}", run.failure())
        };
        let result = expected.unwrap_or(DeploymentResult::Completed);
        assert_eq!(deployed.result, result, "{answer:?}");
        assert_eq!(run.count("UpdateService"), 0, "{answer:?}");
        let looks = run.count("DescribeServices");
        assert_eq!(looks > 1, expected.is_none(), "{answer:?}");
    }
}

#[tokio::test]
async fn a_deployment_of_the_same_that_was_rolled_back_is_made_again() {
    for status in ["STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED"] {
        let again = vec![service(&[deployment(2, OLD, "COMPLETED", (2, 2))])];
        let run = run(shifting("COMPLETED", recorded(status, ""), again), |_| ()).await;
        assert!(run.is_deployed(), "{status}: {:?}", run.failure());
        assert_eq!(run.count("UpdateService"), 1, "{status}");
        assert_eq!(run.body("UpdateService")["forceNewDeployment"], true);
    }
}

#[tokio::test]
async fn a_record_that_cannot_be_read_now_ends_the_look() {
    let broken = (500, json!({"__type": "ServerException", "message": "no"}));
    let run = run(shifting("COMPLETED", broken, Vec::new()), |_| ()).await;
    assert_eq!(run.failure().0, Code::AwsRequestFailed);
    assert_eq!(run.count("UpdateService"), 0);
}
