//! The record that ECS keeps of a service's deployment
//! (<https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ServiceDeployment.html>).

use super::service::Deployment;

/// Details of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// Time when it began, in milliseconds since 1970; none if ECS does not say.
    pub created: Option<i64>,
    /// Its status.
    pub status: Status,
    /// ECS's reason for the status.
    pub reason: Option<String>,
    /// ECS's reason for a rollback.
    pub rollback_reason: Option<String>,
    /// The stage that it is in, such as `BAKE_TIME`.
    pub stage: Option<String>,
    /// The IDs of pause hooks that wait for a person.
    pub pauses: Vec<String>,
    /// The alarms that were triggered.
    pub alarms: Vec<String>,
}

/// The status of a deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// It waits for another one.
    Pending,
    /// It is under way.
    InProgress,
    /// It succeeded, which no other status says.
    Successful,
    /// It is being stopped.
    StopRequested,
    /// It was stopped by a person, failed without a rollback, or was replaced.
    Stopped,
    /// It failed and is about to be rolled back.
    RollbackRequested,
    /// It failed and is being rolled back.
    RollbackInProgress,
    /// It failed, and the revision before runs again.
    RollbackSuccessful,
    /// It failed, and so did the rollback.
    RollbackFailed,
    /// A status that ECS learned later.
    Other(String),
}

impl Status {
    /// Returns true for a deployment that will not succeed and is not over.
    #[must_use]
    pub fn is_rolling_back(&self) -> bool {
        matches!(self, Self::RollbackRequested | Self::RollbackInProgress)
    }
}

/// Milliseconds by which ECS may write the record of a deployment earlier than the deployment itself.
const APART: i64 = 1000;

impl Detail {
    /// Returns false for the record of a deployment that began before the given one: a service names the former record
    /// for some seconds.
    #[must_use]
    pub fn can_be_of(&self, deployment: &Deployment) -> bool {
        match (self.created, deployment.created) {
            (Some(record), Some(deployment)) => record + APART >= deployment,
            (None, _) | (_, None) => true,
        }
    }

    /// Returns true if the deployment is not over, apart from the removal of what it replaced.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        match self.status {
            Status::Pending
            | Status::InProgress
            | Status::StopRequested
            | Status::RollbackRequested
            | Status::RollbackInProgress
            | Status::Other(_) => !self.only_cleans_up(),
            Status::Successful
            | Status::Stopped
            | Status::RollbackSuccessful
            | Status::RollbackFailed => false,
        }
    }

    /// Returns true if the deployment is over, and its revision does not serve.
    #[must_use]
    pub fn has_failed(&self) -> bool {
        matches!(
            self.status,
            Status::Stopped | Status::RollbackSuccessful | Status::RollbackFailed
        )
    }

    /// Returns true if the deployment is under way and only removes the tasks of the revision before, which can take
    /// long behind a load balancer
    /// (<https://docs.aws.amazon.com/AmazonECS/latest/developerguide/blue-green-deployment-how-it-works.html>).
    #[must_use]
    pub fn only_cleans_up(&self) -> bool {
        self.status == Status::InProgress && self.stage.as_deref() == Some("CLEAN_UP")
    }

    /// Returns ECS's reason for a failure, with the alarms that were triggered.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        let reason = self.rollback_reason.clone().or_else(|| self.reason.clone());
        if self.alarms.is_empty() {
            return reason;
        }
        let alarms = format!("alarms: {}", self.alarms.join(", "));
        Some(reason.map_or(alarms.clone(), |reason| format!("{reason} ({alarms})")))
    }
}
