//! Tasks of a service, as the reason why a deployment fails, and as the proof of what runs.

use crate::domain::ecs::log_stream::LogStreams;
use crate::domain::reference::digest::Digest;

/// A task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Task {
    /// Its ID, the last part of its ARN.
    pub id: String,
    /// The ID of the deployment that started it.
    pub started_by: Option<String>,
    /// The ARN of its revision.
    pub revision: Option<String>,
    /// The code of its end, such as `TaskFailedToStart`.
    pub stop_code: Option<String>,
    /// ECS's reason for its end.
    pub stopped_reason: Option<String>,
    /// The time of its end, in seconds since 1970.
    pub stopped_at: Option<i64>,
    /// Its containers.
    pub containers: Vec<TaskContainer>,
}

/// A container of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskContainer {
    /// Its name.
    pub name: String,
    /// The exit code of its program.
    pub exit_code: Option<i32>,
    /// ECS's reason for its end.
    pub reason: Option<String>,
    /// The digest of its image, as its task reports it.
    pub image_digest: Option<String>,
}

/// Tasks whose ends are described.
const DESCRIBED: usize = 3;

impl Task {
    /// Returns true if a deployment started the task, or one of the same revision.
    #[must_use]
    pub fn is_of(&self, deployment: &str, revision: &str) -> bool {
        self.started_by.as_deref() == Some(deployment) || self.revision.as_deref() == Some(revision)
    }

    /// Returns true for an end that mostly comes from scaling. A failed health check has the code of scaling, and only
    /// its reason shows it (<https://github.com/aws/containers-roadmap/issues/612>).
    fn is_scaled_in(&self) -> bool {
        let reason = self.stopped_reason.as_deref().unwrap_or_default();
        match self.stop_code.as_deref() {
            Some("UserInitiated") => true,
            Some("ServiceSchedulerInitiated") => !reason.to_ascii_lowercase().contains("health"),
            _ => false,
        }
    }

    /// Describes the end of the task, with each container that says more.
    fn describe(&self, logs: &LogStreams) -> String {
        let code = self.stop_code.as_deref().unwrap_or("stopped");
        let reason = self.stopped_reason.as_deref();
        let reason = reason.unwrap_or("ECS gives no reason");
        let mut parts = vec![format!("task {}: {code}: {reason}", self.id)];
        for container in &self.containers {
            let name = &container.name;
            let exit = container
                .exit_code
                .map(|code| format!("exit code {code}{}", meaning(code)));
            let told: Vec<String> = exit.into_iter().chain(container.reason.clone()).collect();
            if !told.is_empty() {
                parts.push(format!("container `{name}`: {}", told.join(", ")));
            }
            // A container that never started has no log.
            if container.exit_code.is_some() {
                parts.extend(logs.of(name, &self.id));
            }
        }
        parts.join("; ")
    }
}

/// Returns the usual meaning of an exit code, in brackets.
fn meaning(code: i32) -> &'static str {
    match code {
        137 => " (killed, often for lack of memory)",
        139 => " (segmentation fault)",
        _ => "",
    }
}

/// Describes the ends of a deployment's tasks, a line each, the newest first; ends by scaling come last.
#[must_use]
pub fn describe_ends(
    mut tasks: Vec<Task>,
    (deployment, revision): (&str, &str),
    logs: &LogStreams,
) -> Vec<String> {
    tasks.retain(|task| task.is_of(deployment, revision));
    tasks.sort_by_key(|task| (task.is_scaled_in(), std::cmp::Reverse(task.stopped_at)));
    let described = tasks.iter().take(DESCRIBED);
    described.map(|task| task.describe(logs)).collect()
}

/// The digests that a deployment's tasks report for a container, compared with the one that they must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RunningImages {
    /// So many tasks report it, and none another.
    Same(usize),
    /// No task reports a digest.
    Unknown,
    /// A task reports another.
    Different {
        /// The task.
        task: String,
        /// The digest that it reports.
        digest: String,
    },
}

/// Compares the digests that a deployment's tasks report for `container` with the verified one.
#[must_use]
pub fn compare_images(
    tasks: &[Task],
    (deployment, revision): (&str, &str),
    container: &str,
    verified: &Digest,
) -> RunningImages {
    let mut same = 0;
    for task in tasks.iter().filter(|task| task.is_of(deployment, revision)) {
        let containers = task.containers.iter().filter(|each| each.name == container);
        for digest in containers.filter_map(|each| each.image_digest.as_deref()) {
            if digest != verified.as_str() {
                return RunningImages::Different {
                    task: task.id.clone(),
                    digest: digest.to_owned(),
                };
            }
            same += 1;
        }
    }
    if same == 0 {
        RunningImages::Unknown
    } else {
        RunningImages::Same(same)
    }
}
