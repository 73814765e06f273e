//! Changes of a deployment, and the cases without one.

use serde_json::{Value, json};

use super::script::{
    NEW, OLD, Script, changed, definition, deployment, described, done, image, old, refusal, run,
    run_with, service,
};
use crate::adapters::aws::tests::of;
use crate::flow::outcome::{DeploymentResult, Ending};
use crate::report::code::Code;
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn the_current_revision_gets_the_image_and_keeps_what_is_not_known() {
    let run = run(Script::new().then(vec![service(&[done()])]), |_| ()).await;
    let registered = run.body("RegisterTaskDefinition");
    let container = &registered["containerDefinitions"][0];
    assert_eq!(container["image"], Value::from(image()));
    assert_eq!(container["fieldOfTomorrow"], json!([1.50]));
    assert_eq!(registered["tags"], json!([{"key": "team", "value": "a"}]));
    assert_eq!(registered.get("taskDefinitionArn"), None);
    let described = run.body("DescribeTaskDefinition");
    assert_eq!(described["include"], json!(["TAGS"]));
    let Ok(Ending::Deployed(deployed)) = &run.ending else {
        panic!("{:?}", run.failure())
    };
    assert_eq!(deployed.result, DeploymentResult::Completed);
    assert_eq!(deployed.deployment.as_deref(), Some("ecs-svc/2"));
    let revision = deployed.revision.as_ref().expect("a revision");
    assert_eq!(revision.arn, NEW);
    let path = deployed.task_definition.as_ref().expect("a file");
    assert!(path.ends_with("web.json"), "{path:?}");
    let effects: Vec<String> = deployed.effects.iter().map(ToString::to_string).collect();
    assert_eq!(effects.len(), 3, "{effects:?}");
    assert!(effects[2].ends_with("which completed"), "{effects:?}");
    let update = run.body("UpdateService");
    assert_eq!(update["taskDefinition"], NEW);
    assert_eq!(update.get("forceNewDeployment"), None);
    assert_eq!(update.get("desiredCount"), None);
}

#[tokio::test]
async fn a_service_that_runs_the_image_is_left_alone() {
    let same = vec![(200, definition(OLD, &image()))];
    let script = Script::new().on("DescribeTaskDefinition", same.clone());
    let run_once = run(script.clone(), |_| ()).await;
    let Ok(Ending::Deployed(deployed)) = &run_once.ending else {
        panic!("{:?}", run_once.failure())
    };
    assert_eq!(deployed.result, DeploymentResult::Unneeded);
    assert!(!deployed.changed && deployed.effects.is_empty());
    assert_eq!(run_once.count("RegisterTaskDefinition"), 0);
    assert_eq!(run_once.count("UpdateService"), 0);

    let again = deployment(2, OLD, "COMPLETED", (2, 2));
    let update = json!({"service": described(&[deployment(2, OLD, "IN_PROGRESS", (0, 2)), old()])});
    let forced = script
        .then(vec![service(&[again])])
        .on("UpdateService", vec![(200, update)]);
    let run_forced = run(forced, |i| i.force_new_deployment = "true".into()).await;
    assert!(matches!(run_forced.ending, Ok(Ending::Deployed(_))));
    assert_eq!(run_forced.count("RegisterTaskDefinition"), 0);
    let update = run_forced.body("UpdateService");
    assert_eq!(update["taskDefinition"], OLD);
    assert_eq!(update["forceNewDeployment"], true);
}

#[tokio::test]
async fn a_deployment_that_failed_the_night_before_is_begun_again() {
    let failed = deployment(1, OLD, "FAILED", (0, 2));
    let update = json!({"service": described(&[deployment(2, OLD, "IN_PROGRESS", (0, 2))])});
    let script = Script::new()
        .on(
            "DescribeTaskDefinition",
            vec![(200, definition(OLD, &image()))],
        )
        .on("UpdateService", vec![(200, update)])
        .on(
            "DescribeServices",
            vec![
                service(&[failed]),
                service(&[deployment(2, OLD, "COMPLETED", (2, 2))]),
            ],
        );
    let run = run(script, |_| ()).await;
    assert!(matches!(&run.ending, Ok(Ending::Deployed(d)) if d.changed));
    assert_eq!(run.body("UpdateService")["forceNewDeployment"], true);
}

#[tokio::test]
async fn a_service_that_still_names_a_revision_that_was_rolled_back_gets_it_again() {
    let rolled_back = changed(&[old()], |s| s["taskDefinition"] = NEW.into());
    let script = |last: Value| {
        Script::new()
            .on(
                "DescribeTaskDefinition",
                vec![(200, definition(NEW, &image()))],
            )
            .on(
                "DescribeServices",
                vec![rolled_back.clone(), service(&[last])],
            )
    };
    let healed = run(script(done()), |_| ()).await;
    assert!(matches!(&healed.ending, Ok(Ending::Deployed(d)) if d.changed));
    assert_eq!(healed.count("RegisterTaskDefinition"), 0);
    assert_eq!(healed.body("UpdateService")["taskDefinition"], NEW);
    // What runs is the revision before, and so the sign of another rollback.
    let back = deployment(3, OLD, "COMPLETED", (2, 2));
    let (code, _, _) = run(script(back), |_| ()).await.failure();
    assert_eq!(code, Code::EcsDeploymentRolledBack);
}

#[tokio::test]
async fn a_deployment_of_the_same_that_is_under_way_is_watched_and_not_replaced() {
    let own = |state| deployment(3, OLD, state, (1, 2));
    let before = deployment(1, "web:6", "COMPLETED", (2, 2));
    let script = |last: Vec<Value>| {
        Script::new()
            .on(
                "DescribeTaskDefinition",
                vec![(200, definition(OLD, &image()))],
            )
            .on(
                "DescribeServices",
                vec![
                    service(&[own("IN_PROGRESS"), before.clone()]),
                    service(&last),
                ],
            )
    };
    let done = run(script(vec![own("COMPLETED")]), |_| ()).await;
    let Ok(Ending::Deployed(deployed)) = &done.ending else {
        panic!("{:?}", done.failure())
    };
    assert_eq!(deployed.result, DeploymentResult::Completed);
    assert_eq!(deployed.deployment.as_deref(), Some("ecs-svc/3"));
    assert!(!deployed.changed && deployed.effects.is_empty());
    assert_eq!(done.count("UpdateService"), 0);
    let back = deployment(4, "web:6", "COMPLETED", (2, 2));
    let (code, _, effects) = run(script(vec![back]), |_| ()).await.failure();
    assert_eq!(code, Code::EcsDeploymentRolledBack);
    assert_eq!(effects, [""; 0]);
}

#[tokio::test]
async fn what_cannot_be_deployed_to_is_refused_before_anything_is_registered() {
    let with = |change: fn(&mut Value)| vec![changed(&[old()], change)];
    let missing = json!({"services": [], "failures": [{"arn": "web", "reason": "MISSING"}]});
    let cases = [
        (Code::EcsServiceNotFound, vec![(200, missing)], "`web`"),
        (
            Code::EcsClusterNotFound,
            vec![refusal("ClusterNotFoundException")],
            "cluster",
        ),
        (
            Code::EcsServiceUnsuitable,
            with(|s| s["deploymentController"] = json!({"type": "CODE_DEPLOY"})),
            "CODE_DEPLOY",
        ),
        (
            Code::EcsServiceUnsuitable,
            with(|s| s["deploymentController"] = json!({"type": "EXTERNAL"})),
            "EXTERNAL",
        ),
        (
            Code::EcsServiceUnsuitable,
            with(|s| s["status"] = "INACTIVE".into()),
            "INACTIVE",
        ),
        (
            Code::EcsServiceUnsuitable,
            with(|s| s["launchType"] = "EC2".into()),
            "EC2",
        ),
    ];
    for (code, answers, part) in cases {
        let run = run(Script::new().on("DescribeServices", answers), |_| ()).await;
        let (found, text, _) = run.failure();
        assert_eq!(found, code, "{text}");
        assert!(text.contains(part), "{text}");
        assert_eq!(
            run.count("RegisterTaskDefinition") + run.count("UpdateService"),
            0
        );
    }
}

#[tokio::test]
async fn a_plan_changes_nothing() {
    let run = run(Script::new(), |i| i.action = "plan".into()).await;
    let Ok(Ending::DeploymentPlanned(deployed, stages)) = &run.ending else {
        panic!("{:?}", run.failure())
    };
    assert_eq!(deployed.result, DeploymentResult::Planned);
    assert_eq!(stages.len(), 4);
    assert_eq!(
        run.count("RegisterTaskDefinition") + run.count("UpdateService"),
        0
    );
}

#[tokio::test]
async fn a_deployment_that_is_not_watched_is_only_started() {
    let run = run(Script::new(), |i| i.wait_for_service = "false".into()).await;
    let Ok(Ending::Deployed(deployed)) = &run.ending else {
        panic!("{:?}", run.failure())
    };
    assert_eq!(deployed.result, DeploymentResult::Started);
    let last = deployed.effects.last().expect("an effect").to_string();
    assert!(last.ends_with("which goes on"), "{last}");
    assert_eq!(run.count("DescribeServices"), 1);
}

#[tokio::test]
async fn a_service_without_guards_is_a_warning() {
    let first = changed(&[old()], |s| s["deploymentConfiguration"] = json!({}));
    let script = Script::new().on("DescribeServices", vec![first, service(&[done()])]);
    let unguarded = run(script, |_| ()).await;
    assert_eq!(unguarded.warnings, [Code::EcsServiceUnguarded]);
    let guarded = run(Script::new().then(vec![service(&[done()])]), |_| ()).await;
    assert_eq!(guarded.warnings, []);
}

#[tokio::test]
async fn a_cancelled_step_leaves_the_deployment_running_and_names_it() {
    let cancel = CancellationToken::new();
    let stop = cancel.clone();
    tokio::spawn(async move {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
        stop.cancel();
    });
    let run = run_with(
        Script::new().then(vec![service(&[super::script::begun(), old()])]),
        |_| (),
        |c| c,
        of,
        cancel,
    )
    .await;
    let Ok(Ending::Cancelled { effects, .. }) = &run.ending else {
        panic!("{:?}", run.failure())
    };
    let last = effects.last().expect("an effect").to_string();
    assert_eq!(
        last,
        "started the deployment `ecs-svc/2` of the ECS service `web`, which goes on"
    );
    assert_eq!(run.count("UpdateService"), 1);
    assert_eq!(run.count("StopServiceDeployment"), 0);
}
