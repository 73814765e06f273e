//! A use of each request to AWS, as a run makes it.

use std::time::Duration;

use aws_config::SdkConfig;

use super::super::keys;
use super::Kind;
use super::stand_in::{KEY, StandIn, public_key};
use crate::adapters::aws::account::Aws;
use crate::adapters::aws::action::Action;
use crate::adapters::aws::delivery::Delivery;
use crate::adapters::aws::ecs::client::Ecs;
use crate::adapters::aws::oidc::{Oidc, retry_policy};
use crate::adapters::aws::role;
use crate::adapters::http::retry::RetryPolicy;
use crate::domain::aws::claims::Claims;
use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::aws::settings::{CredentialSource, OidcRequest, Role};
use crate::domain::reference::ecr_host::EcrHost;
use crate::domain::reference::repository::Repository;
use crate::report::event::Events;
use crate::report::problem::Problem;
use crate::report::secret::Secret;

const ACCOUNT: &str = "123456789012";

/// Cluster and service.
const SERVICE: (&str, &str) = ("production", "web");

/// The number of changes that a run would report, beside the failure if there is one.
pub(super) type Ended = Result<u32, (Problem, u32)>;

/// Sends a request of a kind, with those before it.
pub(super) async fn drive(
    kind: Kind,
    aws: &Aws,
    sdk: &SdkConfig,
    region: &str,
    at: &StandIn,
) -> Ended {
    let action = match kind {
        Kind::Aws(action) => action,
        Kind::OidcToken => return unchanged(oidc(at).sign_in(sdk, &Events::silent()).await),
    };
    let ecs = aws.ecs(region);
    let key: KmsKeyName = KEY.replace("REGION", region).parse().expect("a key");
    match action {
        Action::GetCallerIdentity => unchanged(aws.caller().await),
        Action::AssumeRole => unchanged(role::assume(sdk, &role(), keys()).await),
        Action::AssumeRoleWithWebIdentity => {
            let token = Secret::new("e30.e30.c2ln");
            unchanged(role::open_with_token(sdk, &role(), &token, &Claims::default()).await)
        }
        Action::GetAuthorizationToken => unchanged(aws.registry_login(&host(region)).await),
        Action::DescribeRepositories => unchanged(aws.repository(&repository(region)).await),
        Action::CreateRepository => create_repository(aws, region).await,
        Action::GetPublicKey => unchanged(aws.public_key(&key).await),
        Action::DryRunOfSign => unchanged(aws.may_sign(&key).await),
        Action::Sign => unchanged(aws.sign(&key, &public_key(), b"statement").await),
        Action::DescribeTaskDefinition => unchanged(ecs.task_definition("web").await),
        Action::RegisterTaskDefinition => register(aws, region).await,
        Action::DescribeServices => unchanged(ecs.service(SERVICE).await),
        Action::UpdateService => update(&ecs).await,
        Action::DescribeServiceDeployments => {
            unchanged(ecs.service_deployment(SERVICE, "arn").await)
        }
        Action::ListTasks | Action::DescribeTasks => unchanged(ecs.running_tasks(SERVICE).await),
    }
}

/// The end of a request that changes nothing.
fn unchanged<T, E: Into<Problem>>(result: Result<T, E>) -> Ended {
    result.map(|_| 0).map_err(|error| (error.into(), 0))
}

async fn create_repository(aws: &Aws, region: &str) -> Ended {
    let delivery = Delivery::default();
    let created = aws.create_repository(&repository(region), &delivery).await;
    let possible = delivery.carried_out_at_most();
    created
        .map(|_| possible)
        .map_err(|error| (error.into(), possible))
}

async fn register(aws: &Aws, region: &str) -> Ended {
    let delivery = Delivery::default();
    let registered = aws.register_task_definition(region, "web", "{}".to_owned(), &delivery);
    let registered = registered.await;
    let possible = delivery.carried_out_at_most();
    registered
        .map(|_| possible)
        .map_err(|error| (error.into(), possible))
}

async fn update(ecs: &Ecs) -> Ended {
    let delivery = Delivery::default();
    let updated = ecs.update_service(SERVICE, "web:7", false, &delivery).await;
    let possible = delivery.carried_out_at_most();
    updated
        .map(|_| possible)
        .map_err(|error| (error.into(), possible))
}

fn host(region: &str) -> EcrHost {
    EcrHost {
        account: ACCOUNT.to_owned(),
        region: region.to_owned(),
    }
}

fn repository(region: &str) -> Repository {
    Repository::new(&EcrHost::name(ACCOUNT, region), "app/web")
}

fn role() -> Role {
    Role {
        given_by: CredentialSource::Connection,
        arn: format!("arn:aws:iam::{ACCOUNT}:role/deploy"),
        session_name: "aws-vsts-tools".to_owned(),
        external_id: None,
        duration: Duration::from_mins(15),
    }
}

fn oidc(at: &StandIn) -> Oidc {
    let url = format!("http://{}/oidctoken", at.host());
    Oidc {
        request: OidcRequest {
            url: url.parse().expect("an address"),
            job_token: Secret::new("job-token"),
        },
        role: role(),
        retry: RetryPolicy {
            first_wait: Duration::from_millis(1),
            longest_retry_after: Duration::from_millis(20),
            request: Duration::from_millis(if at.is_slow() { 1000 } else { 10_000 }),
            ..retry_policy()
        },
    }
}
