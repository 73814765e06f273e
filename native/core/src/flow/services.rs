//! The services that a run talks to, made once.

use tokio::sync::OnceCell;

use crate::adapters::aws::account::Aws;
use crate::adapters::crowdstrike::tenant::{FalconRegistry, Tenant};
use crate::adapters::engine::client::{Engine, EngineSettings};
use crate::adapters::registry::client::Registry;
use crate::adapters::registry::credentials::cache::{Credentials, LoginFuture, LoginSource};
use crate::adapters::registry::credentials::docker_config::DockerConfig;
use crate::domain::agent::Agent;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::aws::settings::AwsSettings;
use crate::domain::engine::EngineFacts;
use crate::domain::falcon::api_settings::FalconApiSettings;
use crate::domain::reference::repository::Repository;
use crate::report::event::Events;
use crate::report::problem::Problem;

/// Clients of the engine, AWS and the registries; what cannot be had is a problem of the caller.
pub struct Services {
    agent: Agent,
    engine: Result<Engine, Problem>,
    aws_settings: AwsSettings,
    events: Events,
    aws: OnceCell<Aws>,
    credentials: OnceCell<Credentials>,
    registry: OnceCell<Registry>,
    engine_facts: OnceCell<Result<EngineFacts, Problem>>,
    caller: OnceCell<Result<CallerIdentity, Problem>>,
    tenant: Tenant,
}

impl Services {
    /// Makes what needs no network; the rest follows when it is first asked for.
    #[must_use]
    pub fn new(
        agent: Agent,
        aws_settings: AwsSettings,
        falcon_api: Option<FalconApiSettings>,
        events: Events,
    ) -> Self {
        let settings = EngineSettings {
            docker_host: agent.docker_host.clone(),
            docker_certificates: agent.docker_certificates.clone(),
            in_container_job: agent.in_container_job,
        };
        Self {
            engine: Engine::connect(&settings).map_err(Problem::from),
            agent,
            aws_settings,
            tenant: Tenant::new(falcon_api, events.clone()),
            events,
            aws: OnceCell::new(),
            credentials: OnceCell::new(),
            registry: OnceCell::new(),
            engine_facts: OnceCell::new(),
            caller: OnceCell::new(),
        }
    }

    /// The same services with a registry's client and AWS of a test.
    #[cfg(test)]
    pub(crate) fn with(self, registry: Option<Registry>, aws: Option<Aws>) -> Self {
        Self {
            registry: OnceCell::new_with(registry),
            aws: OnceCell::new_with(aws),
            ..self
        }
    }

    /// The agent and the job.
    #[must_use]
    pub fn agent(&self) -> &Agent {
        &self.agent
    }

    /// The tenant of CrowdStrike's API client.
    #[must_use]
    pub fn tenant(&self) -> &Tenant {
        &self.tenant
    }

    /// CrowdStrike's registry; from here on the credentials hold the login to it.
    pub async fn falcon_registry(&self) -> Result<FalconRegistry, Problem> {
        let registry = self.tenant.registry().await?;
        let credentials = self.credentials().await?;
        credentials
            .give(&registry.host, registry.login.clone())
            .await;
        Ok(registry)
    }

    /// The engine.
    pub fn engine(&self) -> Result<&Engine, Problem> {
        self.engine.as_ref().map_err(Clone::clone)
    }

    /// AWS, signed in as the configuration says.
    pub async fn aws(&self) -> Result<&Aws, Problem> {
        let open = || async {
            let opened = Aws::open(&self.aws_settings, self.events.clone()).await;
            opened.map_err(Problem::from)
        };
        self.aws.get_or_try_init(open).await
    }

    /// The sign-ins to registries, for a caller that passes one on.
    pub async fn credentials(&self) -> Result<&Credentials, Problem> {
        let open = || async {
            let docker = DockerConfig::of_agent(|name| std::env::var_os(name));
            let (aws, events) = (self.aws().await?.clone(), self.events.clone());
            Ok(Credentials::new(LoginSources { aws, docker }, events))
        };
        self.credentials.get_or_try_init(open).await
    }

    /// The registries, signed in as AWS or Docker's configuration says.
    pub async fn registry(&self) -> Result<&Registry, Problem> {
        let open = || async { Ok(Registry::new(self.credentials().await?.clone())?) };
        self.registry.get_or_try_init(open).await
    }

    /// The engine's facts, requested once.
    pub async fn engine_facts(&self) -> Result<EngineFacts, Problem> {
        let ask = || async { Ok(self.engine()?.facts().await?) };
        self.engine_facts.get_or_init(ask).await.clone()
    }

    /// The caller's identity at AWS, requested once.
    pub async fn caller(&self) -> Result<CallerIdentity, Problem> {
        let ask = || async { Ok(self.aws().await?.caller().await?) };
        self.caller.get_or_init(ask).await.clone()
    }
}

/// The sources of logins: AWS for ECR, and for all other registries the logins that Docker has on this agent.
struct LoginSources {
    aws: Aws,
    docker: DockerConfig,
}

impl LoginSource for LoginSources {
    fn fetch<'a>(&'a self, repository: &'a Repository) -> LoginFuture<'a> {
        Box::pin(async move {
            // Only a host that matches one of ECR's forms as a whole is given a token.
            let Some(host) = repository.ecr() else {
                return self.docker.login(repository).await;
            };
            let login = self.aws.registry_login(&host).await;
            Ok(Some(login.map_err(Problem::from)?))
        })
    }

    /// ECR has one login for all repositories; Docker's configuration may have one for some.
    fn scope(&self, repository: &Repository) -> String {
        match repository.ecr() {
            Some(_) => repository.registry.clone(),
            None => repository.to_string(),
        }
    }
}
