//! From the SDK's types of ECS to ours.

use aws_sdk_ecs::types;

use crate::domain::ecs::deployment::detail::{Detail, Status};
use crate::domain::ecs::deployment::service::{Deployment, Guards, Rollout, Service, ServiceEvent};
use crate::domain::ecs::deployment::task::{Task, TaskContainer};
use crate::report::cause::Cause;

pub(super) fn service(found: types::Service) -> Service {
    let configuration = found.deployment_configuration.as_ref();
    let providers = found.capacity_provider_strategy.unwrap_or_default();
    Service {
        name: found.service_name.unwrap_or_default(),
        cluster: last_part(&found.cluster_arn.unwrap_or_default()),
        status: found.status.unwrap_or_default(),
        launch_type: found.launch_type.map(|kind| kind.as_str().to_owned()),
        capacity_providers: providers
            .into_iter()
            .map(|each| each.capacity_provider)
            .collect(),
        controller: found
            .deployment_controller
            .map(|each| each.r#type.as_str().to_owned()),
        guards: configuration.map(guards).unwrap_or_default(),
        strategy: configuration
            .and_then(|known| Some(known.strategy.as_ref()?.as_str().to_owned())),
        task_definition: found.task_definition,
        desired: found.desired_count,
        deployments: found
            .deployments
            .unwrap_or_default()
            .into_iter()
            .map(deployment)
            .collect(),
        events: found
            .events
            .unwrap_or_default()
            .into_iter()
            .filter_map(event)
            .collect(),
        detail: found.current_service_deployment,
    }
}

fn guards(configuration: &types::DeploymentConfiguration) -> Guards {
    let breaker = configuration.deployment_circuit_breaker.as_ref();
    let breaker = breaker.filter(|breaker| breaker.enable);
    let alarms = configuration.alarms.as_ref().filter(|alarms| alarms.enable);
    Guards {
        circuit_breaker: breaker.is_some(),
        alarms: alarms.is_some(),
        rolls_back: breaker.is_some_and(|breaker| breaker.rollback)
            || alarms.is_some_and(|alarms| alarms.rollback),
    }
}

fn deployment(found: types::Deployment) -> Deployment {
    Deployment {
        id: found.id.unwrap_or_default(),
        created: found.created_at.and_then(milliseconds),
        is_primary: found.status.as_deref() == Some("PRIMARY"),
        task_definition: found.task_definition.unwrap_or_default(),
        desired: found.desired_count,
        pending: found.pending_count,
        running: found.running_count,
        failed: found.failed_tasks,
        rollout: found.rollout_state.as_ref().map(rollout),
        reason: found.rollout_state_reason.as_deref().and_then(said),
    }
}

fn rollout(state: &types::DeploymentRolloutState) -> Rollout {
    match state.as_str() {
        "COMPLETED" => Rollout::Completed,
        "FAILED" => Rollout::Failed,
        "IN_PROGRESS" => Rollout::InProgress,
        other => Rollout::Other(other.to_owned()),
    }
}

fn event(found: types::ServiceEvent) -> Option<ServiceEvent> {
    Some(ServiceEvent {
        id: found.id?,
        message: said(found.message.as_deref()?)?,
    })
}

pub(super) fn detail(found: types::ServiceDeployment) -> Option<Detail> {
    let hooks = found.lifecycle_hook_details.unwrap_or_default();
    let pauses = hooks.into_iter().filter(|hook| {
        let status = hook.status.as_ref();
        status.is_some_and(|status| status.as_str() == "AWAITING_ACTION")
    });
    let begun = [found.created_at, found.started_at];
    Some(Detail {
        created: begun.into_iter().flatten().filter_map(milliseconds).max(),
        status: status(found.status?.as_str()),
        reason: found.status_reason.as_deref().and_then(said),
        rollback_reason: found
            .rollback
            .and_then(|rollback| said(rollback.reason.as_deref()?)),
        stage: found.lifecycle_stage.map(|stage| stage.as_str().to_owned()),
        pauses: pauses.filter_map(|hook| hook.hook_id).collect(),
        alarms: found
            .alarms
            .and_then(|alarms| alarms.triggered_alarm_names)
            .unwrap_or_default(),
    })
}

/// A time as milliseconds since 1970; none for one that has no such number.
fn milliseconds(time: aws_sdk_ecs::primitives::DateTime) -> Option<i64> {
    time.to_millis().ok()
}

fn status(text: &str) -> Status {
    match text {
        "PENDING" => Status::Pending,
        "IN_PROGRESS" => Status::InProgress,
        "SUCCESSFUL" => Status::Successful,
        "STOP_REQUESTED" => Status::StopRequested,
        "STOPPED" => Status::Stopped,
        "ROLLBACK_REQUESTED" => Status::RollbackRequested,
        "ROLLBACK_IN_PROGRESS" => Status::RollbackInProgress,
        "ROLLBACK_SUCCESSFUL" => Status::RollbackSuccessful,
        "ROLLBACK_FAILED" => Status::RollbackFailed,
        other => Status::Other(other.to_owned()),
    }
}

pub(super) fn task(found: types::Task) -> Task {
    Task {
        id: last_part(&found.task_arn.unwrap_or_default()),
        started_by: found.started_by,
        revision: found.task_definition_arn,
        stop_code: found.stop_code.map(|code| code.as_str().to_owned()),
        stopped_reason: found.stopped_reason.as_deref().and_then(said),
        stopped_at: found.stopped_at.map(|time| time.secs()),
        containers: found
            .containers
            .unwrap_or_default()
            .into_iter()
            .map(container)
            .collect(),
    }
}

fn container(found: types::Container) -> TaskContainer {
    TaskContainer {
        name: found.name.unwrap_or_default(),
        exit_code: found.exit_code,
        reason: found.reason.as_deref().and_then(said),
        image_digest: found.image_digest,
    }
}

/// A message as one line; none if it is empty.
fn said(text: &str) -> Option<String> {
    let line = Cause::said(text).to_string();
    (!line.is_empty()).then_some(line)
}

fn last_part(arn: &str) -> String {
    arn.rsplit('/').next().unwrap_or(arn).to_owned()
}
