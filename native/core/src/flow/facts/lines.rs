//! The facts as lines for people.

use super::patch::Facts;
use super::source::SourcePlace;
use crate::adapters::aws::account::Aws;
use crate::domain::aws::identity::CallerIdentity;
use crate::domain::emulation::Registration;
use crate::domain::platform::Platform;

impl Facts {
    /// What was found, a line each; what could not be had is told by the failure it leads to, if it matters.
    pub(crate) fn lines(&self, aws: Option<&Aws>) -> Vec<String> {
        let mut lines = Vec::new();
        match &self.caller {
            Some(Ok(caller)) => lines.push(aws_line(caller, aws)),
            Some(Err(_)) => {}
            None => lines.extend(aws.map(|aws| format!("AWS: credentials from {}", aws.origin()))),
        }
        if let Ok(engine) = &self.engine {
            lines.push(format!(
                "Engine: Docker {} on {}, {} image store",
                engine.version, engine.platform, engine.store
            ));
            if engine.platform != Platform::linux_arm64() {
                lines.push(format!("Emulation: {}", describe(&self.handler)));
            }
        }
        if let Some(Ok(builder)) = &self.builder {
            let made = if builder.is_made {
                "the builder is there, made by an earlier step of this job"
            } else {
                "no builder yet"
            };
            lines.push(format!("Buildx: {}, {made}", builder.buildx));
        }
        if let Ok(source) = &self.source {
            lines.push(match &source.place {
                SourcePlace::Registry {
                    image,
                    from_index: false,
                    ..
                } => format!("Source: {} is linux/arm64, {}", source.name, image.digest),
                SourcePlace::Registry {
                    image,
                    from_index: true,
                    ..
                } => format!(
                    "Source: {} is an index; its linux/arm64 image is {}, and only that is patched",
                    source.name, image.digest
                ),
                SourcePlace::Engine { id } => {
                    format!("Source: {} in the engine is linux/arm64, {id}", source.name)
                }
            });
        }
        if let Ok(sensor) = &self.sensor {
            let version = sensor.version.as_deref().unwrap_or("of unknown version");
            lines.push(format!(
                "Sensor: {} {version}, linux/arm64 is {}",
                sensor.name, sensor.arm64
            ));
        }
        if let Ok(target) = &self.target {
            let existing: Vec<String> = target
                .existing
                .iter()
                .map(|(tag, digest)| format!("{tag} names {digest} now"))
                .collect();
            let existing = if target.is_missing {
                "a repository that is not there yet".to_owned()
            } else if existing.is_empty() {
                "no such tag yet".to_owned()
            } else {
                existing.join(", ")
            };
            lines.push(format!("Target: {}, {existing}", target.repository));
        }
        if let Some(Ok(definition)) = &self.task_definition {
            lines.push(format!(
                "ECS task definition: family {}, the image goes into the container {}",
                definition.family, definition.container
            ));
            let changes = definition.changes.iter();
            lines.extend(changes.map(|change| format!("  {change}")));
        }
        lines
    }
}

/// Who asks, and by whose credentials.
pub fn aws_line(caller: &CallerIdentity, aws: Option<&Aws>) -> String {
    let origin = aws.map_or("AWS", Aws::origin);
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
        Registration::Unknown => "whether ARM64 programs run is only seen by trying".to_owned(),
    }
}
