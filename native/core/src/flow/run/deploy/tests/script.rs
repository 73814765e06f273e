//! ECS with a script, and a deployment that runs against it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;

use crate::adapters::aws::account::Aws;
use crate::adapters::aws::tests::of;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::deploy::DeployConfig;
use crate::flow::config::read::Config;
use crate::flow::inputs::Inputs;
use crate::flow::outcome::{Ending, Verified};
use crate::flow::run::deploy::drive::after_look;
use crate::flow::run::deploy::pace::Pace;
use crate::flow::run::deploy::session::DeploySession;
use crate::flow::run::step_log::StepFailure;
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::event::{Event, Events};
use crate::test_support::agent::agent;
use crate::test_support::config::{HOST, deploy_inputs};
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

pub(super) const OLD: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:7";

pub(super) const NEW: &str = "arn:aws:ecs:eu-west-1:123456789012:task-definition/web:8";

pub(super) const DENIED: &str = "AccessDeniedException";

/// An answer: status and body; status 0 closes the connection.
pub(super) type Answer = (u16, Value);

/// The answers by action, in turn; the last one stays.
#[derive(Clone, Default)]
pub(super) struct Script(HashMap<&'static str, Vec<Answer>>);

impl Script {
    /// A service with a circuit breaker that runs revision 7, and takes revision 8.
    pub(super) fn new() -> Self {
        let register = json!({"taskDefinition": {"taskDefinitionArn": NEW, "revision": 8}});
        Self::default()
            .on("DescribeServices", vec![service(&[old()])])
            .on(
                "DescribeTaskDefinition",
                vec![(200, definition(OLD, "app:1"))],
            )
            .on("RegisterTaskDefinition", vec![(200, register)])
            .on(
                "UpdateService",
                vec![(200, json!({"service": described(&[begun(), old()])}))],
            )
            .on("ListTasks", vec![(200, json!({"taskArns": []}))])
            .on(
                "DescribeServiceDeployments",
                vec![(200, json!({"serviceDeployments": []}))],
            )
    }

    /// The answers to an action.
    pub(super) fn on(mut self, action: &'static str, answers: Vec<Answer>) -> Self {
        self.0.insert(action, answers);
        self
    }

    /// The service as it is described after the look, in turn.
    pub(super) fn then(self, moments: Vec<Answer>) -> Self {
        let first = vec![service(&[old()])];
        self.on("DescribeServices", [first, moments].concat())
    }

    /// The tasks that are listed, whatever their state.
    pub(super) fn tasks(self, tasks: &[Value]) -> Self {
        let arns: Vec<&Value> = tasks.iter().map(|task| &task["taskArn"]).collect();
        self.on("ListTasks", vec![(200, json!({"taskArns": arns}))])
            .on("DescribeTasks", vec![(200, json!({"tasks": tasks}))])
    }
}

pub(super) fn refusal(code: &str) -> Answer {
    (400, json!({"__type": code, "message": "no"}))
}

/// A deployment: its number, revision, whether it is the primary one, state, and running of desired tasks.
pub(super) fn deployment(id: u32, revision: &str, state: &str, running: (i32, i32)) -> Value {
    json!({
        "id": format!("ecs-svc/{id}"), "status": "ACTIVE", "taskDefinition": revision, "rolloutState": state,
        "runningCount": running.0, "desiredCount": running.1, "pendingCount": running.1 - running.0, "failedTasks": 0,
    })
}

pub(super) fn old() -> Value {
    deployment(1, OLD, "COMPLETED", (2, 2))
}

pub(super) fn begun() -> Value {
    deployment(2, NEW, "IN_PROGRESS", (0, 2))
}

pub(super) fn done() -> Value {
    deployment(2, NEW, "COMPLETED", (2, 2))
}

/// The service with these deployments, the first of which is the primary one.
pub(super) fn described(deployments: &[Value]) -> Value {
    let mut deployments = deployments.to_vec();
    deployments[0]["status"] = "PRIMARY".into();
    json!({
        "serviceName": "web", "status": "ACTIVE", "launchType": "FARGATE", "desiredCount": 2,
        "clusterArn": "arn:aws:ecs:eu-west-1:123456789012:cluster/prod",
        "taskDefinition": deployments[0]["taskDefinition"],
        "deploymentConfiguration": {"deploymentCircuitBreaker": {"enable": true, "rollback": false}},
        "deployments": deployments,
    })
}

pub(super) fn service(deployments: &[Value]) -> Answer {
    changed(deployments, |_| ())
}

pub(super) fn changed(deployments: &[Value], change: impl FnOnce(&mut Value)) -> Answer {
    let mut service = described(deployments);
    change(&mut service);
    (200, json!({"services": [service], "failures": []}))
}

/// The answer of `DescribeTaskDefinition`.
pub(super) fn definition(arn: &str, image: &str) -> Value {
    json!({
        "taskDefinition": {
            "taskDefinitionArn": arn, "revision": 7, "status": "ACTIVE",
            "family": "web", "cpu": "1024", "memory": "3072", "networkMode": "awsvpc",
            "executionRoleArn": "arn:aws:iam::123456789012:role/ecsTaskExecutionRole",
            "requiresCompatibilities": ["FARGATE"],
            "runtimePlatform": {"cpuArchitecture": "ARM64", "operatingSystemFamily": "LINUX"},
            "containerDefinitions": [{
                "name": "web", "image": image, "cpu": 0, "environment": [], "fieldOfTomorrow": [1.50],
                "linuxParameters": {"capabilities": {"add": ["SYS_PTRACE"]}},
                "logConfiguration": {
                    "logDriver": "awslogs",
                    "options": {"awslogs-group": "/ecs/web", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app"},
                },
            }],
        },
        "tags": [{"key": "team", "value": "a"}],
    })
}

/// The verified image, by digest.
pub(super) fn image() -> String {
    verified().repository.at(&verified().digest)
}

fn verified() -> Verified {
    Verified {
        repository: Repository::new(HOST, "app/web"),
        tag: None,
        digest: Digest::of(b"verified"),
        from_index: false,
        entrypoint: Vec::new(),
        sensor_version: None,
        cloud_service: None,
        container_name: None,
        bytes: 1,
        source: None,
        record: None,
        more: Vec::new(),
    }
}

/// The end of a deployment, and everything seen on the way.
pub(super) struct Run {
    pub(super) ending: Result<Ending, StepFailure>,
    /// The notes and warnings.
    pub(super) log: Vec<String>,
    /// The running and the desired tasks, as they were reported.
    pub(super) progress: Vec<(u64, Option<u64>)>,
    pub(super) warnings: Vec<Code>,
    /// The actions that ECS was asked for, each with its body.
    pub(super) calls: Vec<(String, Value)>,
    /// The actions, each with the ID of the key that signed it.
    pub(super) keys: Vec<(String, String)>,
}

impl Run {
    pub(super) fn is_deployed(&self) -> bool {
        matches!(&self.ending, Ok(Ending::Deployed(_)))
    }

    pub(super) fn count(&self, action: &str) -> usize {
        self.calls.iter().filter(|(name, _)| name == action).count()
    }

    pub(super) fn body(&self, action: &str) -> &Value {
        let found = self.calls.iter().find(|(name, _)| name == action);
        &found.unwrap_or_else(|| panic!("no {action}")).1
    }

    /// The code, the message with its causes, and the effects of a failure.
    pub(super) fn failure(&self) -> (Code, String, Vec<String>) {
        let (problem, effects) = match &self.ending {
            Ok(Ending::Failed(failure)) => (&failure.problem, failure.effects.clone()),
            Err(failure) => (&failure.problem, Vec::new()),
            Ok(other) => panic!("a failure was expected: {other:?}"),
        };
        let text = [vec![problem.what.clone()], problem.why.clone()].concat();
        let effects = effects.iter().map(ToString::to_string).collect();
        (problem.code, text.join("\n"), effects)
    }
}

pub(super) async fn run(script: Script, change: impl FnOnce(&mut Inputs)) -> Run {
    run_with(
        script,
        change,
        |config| config,
        of,
        CancellationToken::new(),
    )
    .await
}

pub(super) async fn run_with(
    script: Script,
    change: impl FnOnce(&mut Inputs),
    configure: impl FnOnce(DeployConfig) -> DeployConfig,
    aws: impl FnOnce(&LoopbackServer) -> Aws,
    cancel: CancellationToken,
) -> Run {
    let server = start(script).await;
    let place = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(place.path().join("temp")).expect("a folder");
    let mut inputs = deploy_inputs();
    inputs.ecs_cluster = "arn:aws:ecs:eu-west-1:123456789012:cluster/prod".to_owned();
    change(&mut inputs);
    let config = match Config::from_inputs(&inputs) {
        Ok(Config::Deploy(config)) => configure(*config),
        other => panic!("a deployment was expected: {other:?}"),
    };
    let seen: Arc<Mutex<Vec<Event>>> = Arc::default();
    let log = Arc::clone(&seen);
    let events = Events::new(move |event| log.lock().expect("no panic").push(event));
    let services = Services::new(
        agent(place.path()),
        config.verify.aws.clone(),
        None,
        events.clone(),
    );
    let services = services.with(None, Some(aws(&server)));
    let quick = Pace {
        first: Duration::from_millis(1),
        longest: Duration::from_millis(2),
        looks: 3,
    };
    let session = DeploySession::new(config, services, events.clone(), quick);
    let looked = Box::pin(session.look_at_service(verified(), events.of_step(1))).await;
    let ending = match looked {
        Ok(looked) => Box::pin(after_look(session, looked, cancel)).await,
        Err(problem) => Err(problem.into()),
    };
    let (mut log, mut warnings, mut progress) = (Vec::new(), Vec::new(), Vec::new());
    for event in seen.lock().expect("no panic").iter() {
        match event {
            Event::Note { message, .. } => log.push(message.clone()),
            Event::Warning { code, message, .. } => {
                warnings.push(*code);
                log.push(message.clone());
            }
            Event::Progress { current, total, .. } => progress.push((*current, *total)),
            _ => {}
        }
    }
    let keys = server.received().into_iter().map(|received| {
        let signed = received.header("authorization").unwrap_or_default();
        let key = signed.split("Credential=").nth(1).unwrap_or_default();
        let key = key.split('/').next().unwrap_or_default();
        (action(&received), key.to_owned())
    });
    let calls = server.received().into_iter().map(|received| {
        let action = action(&received);
        let body = serde_json::from_slice(&received.body).expect("JSON");
        (action, body)
    });
    Run {
        ending,
        log,
        progress,
        warnings,
        calls: calls.collect(),
        keys: keys.collect(),
    }
}

fn action(received: &Received) -> String {
    let target = received.header("x-amz-target").unwrap_or_default();
    target.rsplit('.').next().unwrap_or_default().to_owned()
}

async fn start(script: Script) -> LoopbackServer {
    let asked: Mutex<HashMap<String, usize>> = Mutex::default();
    LoopbackServer::start(move |received, _| {
        let action = action(received);
        let mut asked = asked.lock().expect("no panic");
        let nth = asked.entry(action.clone()).or_default();
        let answers = script.0.get(action.as_str());
        let answer = answers.and_then(|all| all.get(*nth).or(all.last()));
        *nth += 1;
        match answer {
            Some((0, _)) => Reply::none(),
            Some((status, body)) => Reply::new(*status, &[], body.to_string()),
            None => Reply::new(404, &[], "{}"),
        }
    })
    .await
}
