//! Answers that are lost: ECS is asked, and no change is sent twice.

use serde_json::json;

use super::script::{
    NEW, OLD, Script, begun, definition, deployment, described, done, image, old, refusal, run,
    service,
};
use crate::flow::outcome::Ending;
use crate::report::code::Code;

#[tokio::test]
async fn a_lost_registration_is_found_by_its_content() {
    for lost in [(0, json!({})), (500, json!({}))] {
        let script = Script::new()
            .then(vec![service(&[done()])])
            .on("RegisterTaskDefinition", vec![lost])
            .on(
                "DescribeTaskDefinition",
                vec![
                    (200, definition(OLD, "app:1")),
                    (200, definition(OLD, "app:1")),
                    (200, definition(NEW, &image())),
                ],
            );
        let run = run(script, |_| ()).await;
        assert!(
            matches!(&run.ending, Ok(Ending::Deployed(_))),
            "{:?}",
            run.failure()
        );
        assert_eq!(run.count("RegisterTaskDefinition"), 1);
        assert_eq!(run.body("UpdateService")["taskDefinition"], NEW);
    }
}

#[tokio::test]
async fn a_lost_registration_that_is_not_found_is_reported_as_possible() {
    let script = Script::new().on("RegisterTaskDefinition", vec![(0, json!({}))]);
    let run = run(script, |_| ()).await;
    let (code, _, effects) = run.failure();
    assert_eq!(code, Code::EcsDeploymentUnknown);
    assert!(
        effects
            .iter()
            .any(|effect| effect.starts_with("may have registered")),
        "{effects:?}"
    );
    assert_eq!(
        (
            run.count("RegisterTaskDefinition"),
            run.count("UpdateService")
        ),
        (1, 0)
    );
}

#[tokio::test]
async fn a_refused_registration_left_nothing() {
    let script = Script::new().on("RegisterTaskDefinition", vec![refusal("ClientException")]);
    let (code, _, effects) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::EcsRegistrationRefused);
    assert_eq!(effects.len(), 1, "the file alone: {effects:?}");
}

#[tokio::test]
async fn a_lost_update_is_found_by_its_deployment() {
    for lost in [
        (0, json!({})),
        (500, json!({})),
        (200, json!({"service": {}})),
    ] {
        let script = Script::new().on("UpdateService", vec![lost]).then(vec![
            service(&[old()]),
            service(&[begun(), old()]),
            service(&[done()]),
        ]);
        let run = run(script, |_| ()).await;
        assert!(
            matches!(&run.ending, Ok(Ending::Deployed(_))),
            "{:?}",
            run.failure()
        );
        assert_eq!(run.count("UpdateService"), 1);
    }
}

#[tokio::test]
async fn a_deployment_that_another_run_began_meanwhile_is_told_from_ours() {
    let other = || deployment(5, "web:9", "IN_PROGRESS", (0, 2));
    // It was there before ours, which an older description does not show.
    let update = json!({"service": described(&[begun(), other(), old()])});
    let script = Script::new()
        .on("UpdateService", vec![(200, update)])
        .then(vec![service(&[other(), old()]), service(&[done()])]);
    let before = run(script, |_| ()).await;
    assert!(
        matches!(&before.ending, Ok(Ending::Deployed(_))),
        "{:?}",
        before.failure()
    );
    // It came after ours, whose answer was lost.
    let script = Script::new()
        .on("UpdateService", vec![(0, json!({}))])
        .then(vec![service(&[other(), begun()])]);
    let (code, _, _) = run(script, |_| ()).await.failure();
    assert_eq!(code, Code::EcsDeploymentSuperseded);
}

#[tokio::test]
async fn a_lost_update_that_is_not_found_is_unknown() {
    let script = Script::new().on("UpdateService", vec![(0, json!({}))]);
    let run = run(script, |_| ()).await;
    let (code, text, effects) = run.failure();
    assert_eq!(code, Code::EcsDeploymentUnknown, "{text}");
    assert!(
        effects
            .iter()
            .any(|effect| effect.starts_with("may have started a deployment"))
    );
    assert_eq!(run.count("UpdateService"), 1);
}

#[tokio::test]
async fn a_refused_update_left_no_deployment() {
    for (name, code) in [
        ("ServiceNotActiveException", Code::EcsServiceUnsuitable),
        ("ServiceNotFoundException", Code::EcsServiceNotFound),
        ("AccessDeniedException", Code::AwsDenied),
        ("InvalidParameterException", Code::AwsRequestFailed),
    ] {
        let run = run(
            Script::new().on("UpdateService", vec![refusal(name)]),
            |_| (),
        )
        .await;
        let (found, _, effects) = run.failure();
        assert_eq!(found, code);
        let deployments = effects
            .iter()
            .filter(|effect| effect.contains("deployment"));
        assert_eq!(deployments.count(), 0, "{effects:?}");
        assert_eq!(run.count("UpdateService"), 1);
    }
}

#[tokio::test]
async fn a_throttled_change_was_not_carried_out_and_is_sent_again() {
    let throttled = refusal("ThrottlingException");
    let register = json!({"taskDefinition": {"taskDefinitionArn": NEW, "revision": 8}});
    let update = json!({"service": described(&[begun(), old()])});
    let script = Script::new()
        .then(vec![service(&[done()])])
        .on(
            "RegisterTaskDefinition",
            vec![throttled.clone(), (200, register)],
        )
        .on(
            "UpdateService",
            vec![throttled.clone(), throttled, (200, update)],
        );
    let run = run(script, |_| ()).await;
    assert!(
        matches!(&run.ending, Ok(Ending::Deployed(_))),
        "{:?}",
        run.failure()
    );
    assert_eq!(
        (
            run.count("RegisterTaskDefinition"),
            run.count("UpdateService")
        ),
        (2, 3)
    );
}
