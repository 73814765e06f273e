//! The facts as lines for people.

use super::patch::Facts;
use super::source::{SourceFacts, SourcePlace};
use super::target::TargetFacts;
use super::verify::VerifyFacts;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::ecs::task_definition::TaskDefinition;
use crate::domain::emulation::Registration;
use crate::domain::engine::Mountable;
use crate::domain::platform::Platform;

impl Facts {
    /// The facts, a line each, with the origin of the credentials for AWS. A fact that is missing is reported by
    /// the failure that it causes.
    pub(crate) fn lines(&self, credentials: Option<&str>) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.caller {
            Some(Ok(caller)) => lines.push(aws_line(caller, credentials)),
            Some(Err(_)) => {}
            None => {
                lines.extend(credentials.map(|origin| format!("AWS: credentials from {origin}")));
            }
        }
        if let Some(Ok(key)) = &self.signing {
            lines.push(format!(
                "Signing: records are signed by the KMS key {}",
                key.name
            ));
        }
        lines.extend(self.engine_lines());
        if let Some(Ok(builder)) = &self.builder {
            let state = if builder.is_made {
                "the builder is there, created by an earlier step of this job"
            } else {
                "no builder yet"
            };
            lines.push(format!("Buildx: {}, {state}", builder.buildx));
        }
        lines.extend(self.source.as_ref().ok().map(source_line));
        if let Ok(sensor) = &self.sensor {
            let version = sensor.version.as_deref().unwrap_or("unknown");
            lines.push(format!(
                "Sensor: {}, version {version}, linux/arm64 is {}",
                sensor.name, sensor.arm64
            ));
        }
        lines.extend(self.target.as_ref().ok().map(target_line));
        lines
    }

    /// The facts that change files or services of the user's, a line each.
    pub(crate) fn news(&self) -> Vec<String> {
        match &self.task_definition {
            Some(Ok(definition)) => definition_lines(definition),
            Some(Err(_)) | None => Vec::new(),
        }
    }

    fn engine_lines(&self) -> Vec<String> {
        let Some(Ok(engine)) = &self.engine else {
            return Vec::new();
        };
        let mut lines = vec![format!(
            "Engine: Docker {} on {}, {} image store",
            engine.version, engine.platform, engine.store
        )];
        match self.mounts.as_ref().map(|mounts| &mounts.agent_folder) {
            None | Some(Mountable::Yes) => {}
            Some(Mountable::No) => lines.push("Paths: the engine cannot mount the agent's folders; it runs in another container or on another machine".to_owned()),
            Some(Mountable::Unknown(why)) => lines.push(format!("Paths: it is unknown if the engine can mount the agent's folders: {why}")),
        }
        if engine.platform != Platform::linux_arm64() {
            lines.push(format!("Emulation: {}", describe(&self.handler)));
        }
        lines
    }
}

fn source_line(source: &SourceFacts) -> String {
    let name = &source.name;
    match &source.place {
        SourcePlace::Registry {
            image,
            from_index: false,
            ..
        } => format!("Source: {name} is linux/arm64, {}", image.digest),
        SourcePlace::Registry {
            image,
            from_index: true,
            ..
        } => format!(
            "Source: {name} is an index; its linux/arm64 image is {}, and only that is patched",
            image.digest
        ),
        SourcePlace::Engine { id } => format!("Source: {name} in the engine is linux/arm64, {id}"),
    }
}

fn target_line(target: &TargetFacts) -> String {
    let existing = target.existing.iter();
    let existing: Vec<String> = existing
        .map(|(tag, digest)| format!("tag {tag} exists ({digest})"))
        .collect();
    let existing = if target.is_missing {
        "a repository that is not there yet".to_owned()
    } else if existing.is_empty() {
        "no such tag yet".to_owned()
    } else {
        existing.join(", ")
    };
    format!("Target: {}, {existing}", target.repository)
}

impl VerifyFacts {
    /// The facts, a line each, with the origin of the credentials for AWS.
    pub(crate) fn lines(&self, credentials: Option<&str>) -> Vec<String> {
        let caller = self.caller.iter().map(|caller| match caller {
            Ok(caller) => aws_line(caller, credentials),
            Err(problem) => format!("AWS: the identity is unknown: {}", problem.what),
        });
        let source = self.source.as_ref().and_then(|source| source.as_ref().ok());
        let images = [("Target", self.target.as_ref().ok()), ("Source", source)];
        let images = images.into_iter().filter_map(|(role, image)| {
            let image = image?;
            let (name, digest) = (&image.name, &image.image.digest);
            Some(if image.from_index {
                format!("{role}: {name} is an index; its linux/arm64 image is {digest}, and only that is looked at")
            } else {
                format!("{role}: {name} is {}, {digest}", image.platform())
            })
        });
        caller.chain(images).collect()
    }
}

/// The ECS task definition that gets the image, with the changes to it.
pub(super) fn definition_lines(definition: &TaskDefinition) -> Vec<String> {
    let head = format!(
        "ECS task definition: family {}, the image goes into the container {}",
        definition.family, definition.container
    );
    let changes = definition.changes.iter();
    std::iter::once(head)
        .chain(changes.map(|change| format!("  {change}")))
        .collect()
}

/// The line for the caller's identity and the origin of its credentials.
fn aws_line(caller: &CallerIdentity, credentials: Option<&str>) -> String {
    let origin = credentials.unwrap_or("AWS");
    format!(
        "AWS: account {}, {} (credentials from {origin})",
        caller.account, caller.arn
    )
}

fn describe(handler: &Registration) -> String {
    match handler {
        Registration::Registered(handler) => {
            format!("ARM64 programs run through `{}`", handler.interpreter)
        }
        Registration::Absent => "no handler for ARM64 programs is registered".to_owned(),
        Registration::Unknown => "only an attempt shows if ARM64 programs run".to_owned(),
    }
}
