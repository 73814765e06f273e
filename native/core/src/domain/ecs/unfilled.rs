//! Placeholders that a template leaves to be filled in.

use serde_json::{Map, Value};

use super::field::{CONTAINERS, element_path, field_path};
use super::findings::Findings;
use super::placeholder::{Placeholder, placeholders};
use crate::report::code::Code;

/// Fields of words for programs, and texts of the user's own.
const FREE: [&str; 5] = [
    "command",
    "dockerLabels",
    "entryPoint",
    "environment",
    "healthCheck",
];

/// A field of a pattern, in which all of it can be meant as it stands.
const PATTERN: &str = "awslogs-multiline-pattern";

/// The image's field.
const IMAGE: &str = "image";

/// Extent of the check.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// The container that gets the image.
    pub(super) chosen: Option<usize>,
    /// True if ECS gets the definition next, so that no later step fills anything in.
    pub(super) is_registered: bool,
}

/// Refuses placeholders, and warns of those that a program in the container may mean.
pub(super) fn check(findings: &mut Findings, input: &Map<String, Value>, extent: Extent) {
    let mut search = Search {
        findings,
        extent,
        kept: Vec::new(),
    };
    for (name, value) in input {
        match value {
            Value::Array(containers) if name == CONTAINERS => {
                for (nth, container) in containers.iter().enumerate() {
                    search.container(nth, container);
                }
            }
            _ => search.value(name, value, Zone::of(name, Zone::Settings)),
        }
    }
    if !search.kept.is_empty() {
        let kept = search.kept.join(", ");
        findings.warn(
            Code::EcsPlaceholdersKept,
            format!("Texts that look like placeholders are registered as they are: {kept}; a program in the container may mean them"),
        );
    }
}

/// A part of the definition with its own rule.
#[derive(Clone, Copy)]
enum Zone {
    /// Names, images and ARNs: a placeholder can only be one.
    Names,
    /// Settings of ECS.
    Settings,
    /// Options of log drivers, of which some have templates of their own.
    Options,
    /// Words of programs.
    Free,
}

impl Zone {
    fn of(name: &str, around: Self) -> Self {
        match around {
            Self::Free | Self::Options => around,
            _ if FREE.contains(&name) => Self::Free,
            _ if name == "options" => Self::Options,
            _ if is_of_names(name) => Self::Names,
            _ => Self::Settings,
        }
    }
}

/// Returns true for the fields of names, images, ARNs and sizes.
fn is_of_names(field: &str) -> bool {
    let rest = [
        "accessPointId",
        "containerName",
        "cpu",
        "credentialsParameter",
        "family",
        "fileSystemId",
        IMAGE,
        "memory",
        "name",
        "sourceContainer",
        "sourceVolume",
        "valueFrom",
    ];
    field.ends_with("Arn") || rest.contains(&field)
}

struct Search<'a> {
    findings: &'a mut Findings,
    extent: Extent,
    kept: Vec<String>,
}

impl Search<'_> {
    fn container(&mut self, nth: usize, container: &Value) {
        let path = element_path(CONTAINERS, nth);
        let Value::Object(fields) = container else {
            return self.value(&path, container, Zone::Settings);
        };
        let is_chosen = self.extent.chosen.is_none_or(|chosen| chosen == nth);
        for (name, value) in fields {
            let path = field_path(&path, name);
            // The task fills in one image, and without a registration a later step may fill in the others.
            if name == IMAGE && (is_chosen || !self.extent.is_registered) {
                continue;
            }
            if name == "name" && is_chosen {
                self.demand(&path, value);
            } else {
                self.value(&path, value, Zone::of(name, Zone::Settings));
            }
        }
    }

    fn value(&mut self, path: &str, value: &Value, zone: Zone) {
        match value {
            Value::String(_) if path == "family" => self.demand(path, value),
            Value::String(text) => self.text(path, text, zone),
            Value::Array(list) => {
                for (nth, value) in list.iter().enumerate() {
                    self.value(&element_path(path, nth), value, zone);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields.iter().filter(|(name, _)| *name != PATTERN) {
                    self.value(&field_path(path, name), value, Zone::of(name, zone));
                }
            }
            _ => {}
        }
    }

    /// Refuses any placeholder in a text that the task itself needs.
    fn demand(&mut self, path: &str, value: &Value) {
        if let Some(text) = value.as_str() {
            self.refuse(path, &placeholders(text));
        }
    }

    fn text(&mut self, path: &str, text: &str, zone: Zone) {
        let found = Placeholder::all_in(text);
        let (refused, kept): (Vec<Placeholder>, Vec<Placeholder>) = match zone {
            Zone::Names => (found, Vec::new()),
            Zone::Settings => found.into_iter().partition(|each| !each.is_word()),
            Zone::Options => found.into_iter().partition(|each| !each.is_of_programs()),
            Zone::Free => (Vec::new(), found),
        };
        // A later step may have a task that replaces tokens, but none replaces these.
        let counts = |each: &&Placeholder| self.extent.is_registered || !each.is_of_programs();
        let refused: Vec<&str> = refused
            .iter()
            .filter(counts)
            .map(|each| each.text)
            .collect();
        self.refuse(path, &refused);
        if self.extent.is_registered {
            let kept = kept.iter().filter(|each| each.is_meant_for_tools());
            self.kept
                .extend(kept.map(|each| format!("`{}` in `{path}`", each.text)));
        }
    }

    fn refuse(&mut self, path: &str, placeholders: &[&str]) {
        if placeholders.is_empty() {
            return;
        }
        let all: Vec<String> = placeholders
            .iter()
            .map(|each| format!("`{each}`"))
            .collect();
        let message = format!(
            "has placeholders that are not filled in: {}",
            all.join(", ")
        );
        self.findings
            .refuse_as(Code::EcsPlaceholdersLeft, path, message);
    }
}
