use std::sync::{Arc, Mutex};
use std::time::Duration;

use proptest::prop_assert;
use tokio::runtime::Runtime;

use crate::adapters::aws::tests::of;
use crate::domain::ecs::deployment::service::Service;
use crate::domain::ecs::deployment::verdict::{Moment, Verdict, Watched};
use crate::test_support::fuzz::{changed_text, fuzz};
use crate::test_support::loopback_server::{LoopbackServer, Reply};

const OURS: &str = "ecs-svc/2222";

const SERVICE: &str = r#"{"services":[{"serviceName":"web","clusterArn":"arn:aws:ecs:eu-west-1:123456789012:cluster/production","status":"ACTIVE","launchType":"FARGATE","desiredCount":2,"taskDefinition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8","deployments":[{"id":"ecs-svc/2222","status":"PRIMARY","taskDefinition":"arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8","desiredCount":2,"pendingCount":0,"runningCount":2,"failedTasks":0,"rolloutState":"COMPLETED","createdAt":1767323045.5},{"id":"ecs-svc/1111","status":"ACTIVE","runningCount":0}],"events":[{"id":"a","message":"(service web) has reached a steady state."}],"currentServiceDeployment":"arn:aws:ecs:eu-west-1:123456789012:service-deployment/production/web/x"}],"failures":[]}"#;

const RECORD: &str = r#"{"serviceDeployments":[{"status":"ROLLBACK_SUCCESSFUL","statusReason":"x","createdAt":1767323045.5,"rollback":{"reason":"alarm"},"lifecycleStage":"BAKE_TIME","lifecycleHookDetails":[{"hookId":"a","status":"AWAITING_ACTION"}],"alarms":{"triggeredAlarmNames":["5xx"]}}]}"#;

const TASKS: &str = r#"{"taskArns":["arn:aws:ecs:eu-west-1:123456789012:task/production/0c1d"],"nextToken":null,"tasks":[{"taskArn":"arn:aws:ecs:eu-west-1:123456789012:task/production/0c1d","startedBy":"ecs-svc/2222","stopCode":"EssentialContainerExited","stoppedReason":"x","stoppedAt":1767323045,"containers":[{"name":"web","exitCode":137,"reason":"OutOfMemoryError","imageDigest":"sha256:1"}]}]}"#;

const REFUSAL: &str = r#"{"__type":"ClusterNotFoundException","message":"Cluster not found."}"#;

fn judged(service: &Service) -> Verdict {
    let watched = Watched {
        id: OURS.to_owned(),
        revision: "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8".to_owned(),
        earlier: vec!["ecs-svc/1111".to_owned()],
        previous: None,
        rolls_back: true,
        limit: Duration::from_mins(1),
    };
    watched.judge(Moment {
        service,
        detail: None,
        elapsed: Duration::from_secs(1),
        failed_for: None,
    })
}

#[test]
fn answers_of_ecs_of_any_form_are_read_or_refused_and_complete_no_other_deployment() {
    let pieces = [
        "null",
        "[]",
        "{}",
        "\"\"",
        "-1",
        "1e400",
        "99999999999",
        "true",
        ",",
        "\"COMPLETED\"",
        "\"FAILED\"",
        "\"PRIMARY\"",
        "\"id\":\"ecs-svc/3333\",",
        "\\ud800",
        "\\u0000",
        "##vso[",
        "\u{202e}",
    ];
    let runtime = Runtime::new().expect("a runtime");
    let body = Arc::new(Mutex::new(String::new()));
    let answer = Arc::clone(&body);
    let server = runtime.block_on(LoopbackServer::start(move |_, _| {
        let body = answer.lock().expect("no panic").clone();
        let status = if body.contains("__type") { 400 } else { 200 };
        Reply::new(
            status,
            &[("content-type", "application/x-amz-json-1.1")],
            body,
        )
    }));
    let ecs = of(&server).ecs("eu-west-1");
    let of = ("production", "web");
    let samples = [SERVICE, RECORD, TASKS, REFUSAL];
    fuzz("ecs-answers", &changed_text(&samples, &pieces), |text| {
        body.lock().expect("no panic").clone_from(&text);
        runtime.block_on(async {
            if let Ok(service) = ecs.service(of).await {
                let is_ours = service.deployment(OURS).is_some();
                prop_assert!(is_ours || judged(&service) != Verdict::Completed, "{text}");
            }
            let _ = ecs.service_deployment(of, "arn").await;
            let _ = ecs.stopped_tasks(of).await;
            Ok(())
        })
    });
}
