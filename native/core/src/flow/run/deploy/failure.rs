//! Explains why a deployment did not complete.

use super::context::DeployRun;
use super::started::Started;
use crate::adapters::aws::ecs::error::EcsError;
use crate::domain::ecs::deployment::task::describe_ends;
use crate::domain::ecs::deployment::verdict::{Rollback, Verdict};
use crate::flow::plan::deployment::DeploymentPlan;
use crate::report::code::Code;
use crate::report::event::StepEvents;
use crate::report::problem::Problem;

const CORRECT: &str =
    "Correct what the stopped tasks name, or what their logs show, and deploy again";

impl DeployRun {
    /// Returns the problem that a verdict stands for, with the reasons of the tasks that stopped.
    pub(super) async fn failure(
        &self,
        verdict: &Verdict,
        started: &Started,
        plan: &DeploymentPlan<'_>,
        unseen: Option<&EcsError>,
        events: &StepEvents,
    ) -> Problem {
        let command = self.events_command();
        let mut problem = problem(verdict, &started.watched.id, &plan.service.name, &command);
        if let Verdict::TimedOut = verdict {
            let minutes = self.session.config.limit.as_secs() / 60;
            problem
                .why
                .push(format!("`deployTimeoutMinutes` is {minutes}"));
        }
        problem.why.extend(unseen.map(ToString::to_string));
        if !matches!(verdict, Verdict::Superseded { .. }) {
            let ends = self.ends_of_tasks(started, plan, events).await;
            problem.why.extend(ends);
        }
        problem
    }

    /// The command that shows the latest events of the service.
    fn events_command(&self) -> String {
        let (cluster, service) = self.subject();
        let region = self.ecs.region();
        format!(
            "aws ecs describe-services --region {region} --cluster {cluster} --services {service} --query 'services[].events[:10].message'"
        )
    }

    /// Describes the tasks that stopped. Without the right to that, only these details are missing.
    async fn ends_of_tasks(
        &self,
        started: &Started,
        plan: &DeploymentPlan<'_>,
        events: &StepEvents,
    ) -> Vec<String> {
        let watched = &started.watched;
        let of = (watched.id.as_str(), watched.revision.as_str());
        match self.ecs.stopped_tasks(self.subject()).await {
            Ok(tasks) => describe_ends(tasks, of, &plan.definition.log_streams()),
            Err(error) => {
                events.note(format!(
                    "{error}, so the reasons of stopped tasks are missing"
                ));
                Vec::new()
            }
        }
    }
}

fn problem(verdict: &Verdict, id: &str, service: &str, events: &str) -> Problem {
    let of = format!("The deployment `{id}` of the service `{service}`");
    let (code, what, reason, hint) = match verdict {
        Verdict::Failed { reason } => (
            Code::EcsDeploymentFailed,
            format!("{of} failed, and was not rolled back"),
            reason,
            CORRECT.to_owned(),
        ),
        Verdict::RolledBack { reason, rollback } => {
            let (what, hint) = match rollback {
                Rollback::Done => ("failed, and ECS rolled it back", CORRECT.to_owned()),
                Rollback::Unfinished => (
                    "failed, and its rollback is not done yet",
                    format!("{CORRECT}; look first if the rollback ends"),
                ),
                Rollback::Failed => (
                    "failed, and so did its rollback",
                    format!("Look at the service now, since neither revision may run: `{events}`"),
                ),
            };
            let what = format!("{of} {what}");
            (Code::EcsDeploymentRolledBack, what, reason, hint)
        }
        Verdict::Superseded { by, reason } => {
            let by = by.as_ref().map(|by| format!(" `{by}`"));
            let what = format!(
                "{of} was replaced by another deployment{}",
                by.unwrap_or_default()
            );
            let hint = "Let one pipeline at a time deploy to the service, for instance by an exclusive lock of its environment";
            (Code::EcsDeploymentSuperseded, what, reason, hint.to_owned())
        }
        // The other verdicts do not end a watch.
        Verdict::TimedOut | Verdict::Running | Verdict::Failing { .. } | Verdict::Completed => (
            Code::EcsDeploymentTimedOut,
            format!("{of} is not done in time, and goes on"),
            &None,
            format!(
                "Look at the service's events: `{events}`; where it only takes long, raise `deployTimeoutMinutes` and the job's `timeoutInMinutes`"
            ),
        ),
    };
    Problem {
        code,
        what,
        why: reason
            .iter()
            .map(|reason| format!("ECS: {reason}"))
            .collect(),
        hint: Some(hint),
    }
}
