//! Gathers the facts for a deployment.

use std::path::Path;

use super::ecs;
use crate::adapters::aws::ecs::client::Ecs;
use crate::domain::aws::registered_definition::RegisteredDefinition;
use crate::domain::ecs::deployment::service::Service;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::flow::config::deploy::DeployConfig;
use crate::flow::config::patch::TaskDefinitionFile;
use crate::flow::facts::fact::Fact;
use crate::flow::facts::service::{CurrentRecord, ServiceFacts};
use crate::flow::services::Services;
use crate::report::code::Code;
use crate::report::problem::{Explain, Problem};

/// A problem with the facts of a deployment, apart from the requests themselves.
#[derive(Debug, thiserror::Error)]
enum ServiceError {
    #[error("No region is known for the ECS service `{0}`")]
    RegionMissing(String),
    #[error("The ECS service `{0}` has no task definition")]
    DefinitionMissing(String),
}

impl Explain for ServiceError {
    fn code(&self) -> Code {
        match self {
            Self::RegionMissing(_) => Code::InputMissing,
            Self::DefinitionMissing(_) => Code::EcsServiceUnsuitable,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(
            match self {
                Self::RegionMissing(_) => "Set `awsRegion`, or write `ecsService` as its ARN",
                Self::DefinitionMissing(_) => {
                    "Set `ecsService` to a service whose deployments ECS controls"
                }
            }
            .to_owned(),
        )
    }
}

/// Returns ECS in the region of the service.
pub async fn ecs(config: &DeployConfig, services: &Services) -> Result<Ecs, Problem> {
    let aws = services.aws().await?;
    let region = config.region.as_deref().or_else(|| aws.region());
    let missing = || ServiceError::RegionMissing(config.service.text.clone());
    Ok(aws.ecs(region.ok_or_else(missing)?))
}

/// Gathers the facts from ECS and from the file.
pub async fn gather(config: &DeployConfig, ecs: &Ecs, roots: &[&Path]) -> ServiceFacts {
    let (cluster, name) = (&config.cluster.text, &config.service.text);
    let described = async {
        let service = ecs.service((cluster, name)).await.map_err(Problem::from);
        let (current, record) = match &service {
            Ok(found) => tokio::join!(
                current(ecs, name, found.task_definition.as_deref()),
                record(ecs, (cluster, name), found),
            ),
            Err(problem) => (Err(problem.clone()), Err(problem.clone())),
        };
        (service, current, record)
    };
    let file = async {
        let path = config.task_definition.as_ref()?;
        let file = TaskDefinitionFile {
            path: path.clone(),
            output: config.output.clone(),
            register: true,
        };
        Some(ecs::look(&file, config.container.as_deref(), roots).await)
    };
    let ((service, current, record), file) = tokio::join!(described, file);
    let definition = match file {
        Some(definition) => definition,
        None => of_service(config, &current, roots).await,
    };
    ServiceFacts {
        service,
        current,
        record,
        definition,
    }
}

async fn current(ecs: &Ecs, service: &str, revision: Option<&str>) -> Fact<RegisteredDefinition> {
    let missing = || ServiceError::DefinitionMissing(service.to_owned());
    let revision = revision.ok_or_else(missing)?;
    Ok(ecs.task_definition(revision).await?)
}

/// Reads the record of a deployment that shifts traffic in steps: its tasks are complete long before it is.
async fn record(ecs: &Ecs, of: (&str, &str), service: &Service) -> Fact<CurrentRecord> {
    let Some(arn) = service
        .detail
        .as_deref()
        .filter(|_| service.shifts_traffic())
    else {
        return Ok(CurrentRecord::Unneeded);
    };
    match ecs.service_deployment(of, arn).await {
        Ok(Some(detail)) => Ok(CurrentRecord::Read(detail)),
        Ok(None) => Ok(CurrentRecord::Unneeded),
        Err(error) if error.may_pass() || error.is_expiry() => Err(error.into()),
        Err(error) => Ok(CurrentRecord::Unreadable(error.to_string())),
    }
}

/// Takes the service's current revision as the definition.
async fn of_service(
    config: &DeployConfig,
    current: &Fact<RegisteredDefinition>,
    roots: &[&Path],
) -> Fact<TaskDefinition> {
    let current = current.as_ref().map_err(Clone::clone)?;
    let container = config.container.as_deref();
    ecs::registered(&current.answer, container, config.output.as_deref(), roots).await
}
