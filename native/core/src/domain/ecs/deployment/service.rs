//! A service as ECS describes it
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_Service.html>).

/// A service with its deployments.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its name.
    pub name: String,
    /// The name of its cluster.
    pub cluster: String,
    /// `ACTIVE`, `DRAINING` or `INACTIVE`.
    pub status: String,
    /// The launch type; none where capacity providers are in use.
    pub launch_type: Option<String>,
    /// The names of its capacity providers.
    pub capacity_providers: Vec<String>,
    /// The type of its deployment controller; none means ECS itself.
    pub controller: Option<String>,
    /// The ways in which ECS notices that a deployment fails.
    pub guards: Guards,
    /// The strategy, such as `BLUE_GREEN`; none means `ROLLING`.
    pub strategy: Option<String>,
    /// The ARN of the revision that it is set to.
    pub task_definition: Option<String>,
    /// The number of tasks that it is to run.
    pub desired: i32,
    /// Its deployments.
    pub deployments: Vec<Deployment>,
    /// Its newest events, the newest first.
    pub events: Vec<ServiceEvent>,
    /// The ARN of the record of the current deployment, which has more details.
    pub detail: Option<String>,
}

/// The ways in which ECS notices that a deployment fails, and its reaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Guards {
    /// True if the circuit breaker is on.
    pub circuit_breaker: bool,
    /// True if alarms are watched.
    pub alarms: bool,
    /// True if one of them rolls a failed deployment back.
    pub rolls_back: bool,
}

impl Guards {
    /// Returns true if nothing ends a deployment whose tasks do not start: ECS retries it without end
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/deployment-circuit-breaker.html>).
    #[must_use]
    pub fn are_missing(self) -> bool {
        !self.circuit_breaker && !self.alarms
    }
}

/// A deployment of a service.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// Its ID, such as `ecs-svc/1234567890123456789`.
    pub id: String,
    /// Time when it began, in milliseconds since 1970; none if ECS does not say.
    pub created: Option<i64>,
    /// True for the newest deployment, which ECS calls PRIMARY.
    pub is_primary: bool,
    /// The ARN of its revision.
    pub task_definition: String,
    /// The number of tasks that it is to run.
    pub desired: i32,
    /// The number of tasks that are about to run.
    pub pending: i32,
    /// The number of tasks that run.
    pub running: i32,
    /// The number of tasks that failed in a row.
    pub failed: i32,
    /// The state of its rollout; none for Classic Load Balancers.
    pub rollout: Option<Rollout>,
    /// ECS's reason for the state.
    pub reason: Option<String>,
}

/// The state of a rollout.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rollout {
    /// The deployment is under way.
    InProgress,
    /// It is done.
    Completed,
    /// It failed.
    Failed,
    /// A state that ECS learned later.
    Other(String),
}

/// A message of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceEvent {
    /// Its ID.
    pub id: String,
    /// The message, in ECS's own words.
    pub message: String,
}

impl Service {
    /// Returns the deployment with an ID.
    #[must_use]
    pub fn deployment(&self, id: &str) -> Option<&Deployment> {
        self.deployments.iter().find(|each| each.id == id)
    }

    /// Returns true if its deployments shift traffic once their tasks run, as `BLUE_GREEN`, `LINEAR` and `CANARY` do.
    #[must_use]
    pub fn shifts_traffic(&self) -> bool {
        self.strategy
            .as_deref()
            .is_some_and(|strategy| strategy != "ROLLING")
    }

    /// Returns the newest deployment.
    #[must_use]
    pub fn primary(&self) -> Option<&Deployment> {
        self.deployments.iter().find(|each| each.is_primary)
    }

    /// Returns a deployment of a revision that was not known before; of several the primary one.
    #[must_use]
    pub fn new_deployment(&self, revision: &str, known: &[String]) -> Option<&Deployment> {
        let deployments = self.deployments.iter();
        deployments
            .filter(|each| each.task_definition == revision && !known.contains(&each.id))
            .max_by_key(|each| each.is_primary)
    }
}
