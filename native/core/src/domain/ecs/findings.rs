//! Collects what a task definition needs, so that all of it is reported at once.

use super::warning::Warning;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// Findings made while a task definition was read.
#[derive(Default)]
pub(super) struct Findings {
    problems: Vec<Finding>,
    changes: Vec<String>,
    warnings: Vec<Warning>,
}

/// The origin of a task definition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// The file of the input `taskDefinition`.
    #[default]
    File,
    /// The current revision of the service.
    Service,
}

impl Origin {
    /// The beginning of a message about the definition.
    fn subject(self) -> &'static str {
        match self {
            Self::File => "Invalid input `taskDefinition`",
            Self::Service => "The service's current task definition cannot be used",
        }
    }
}

/// A problem with one field.
struct Finding {
    code: Code,
    path: String,
    message: String,
}

impl Findings {
    /// Notes that a person must correct the field at `path`; `message` goes on where the path ends.
    pub(super) fn refuse(&mut self, path: impl Into<String>, message: impl AsRef<str>) {
        self.refuse_as(Code::EcsTaskDefinitionInvalid, path, message);
    }

    /// Notes that a person must correct a field, under a code of its own.
    ///
    /// The first problem of a field counts: a value of the wrong type, say, has no other problem that matters.
    pub(super) fn refuse_as(
        &mut self,
        code: Code,
        path: impl Into<String>,
        message: impl AsRef<str>,
    ) {
        let path = path.into();
        if self.problems.iter().any(|known| known.path == path) {
            return;
        }
        let message = format!("`{path}` {}", message.as_ref());
        self.problems.push(Finding {
            code,
            path,
            message,
        });
    }

    /// Notes that the file as a whole is of no use.
    pub(super) fn refuse_file(&mut self, message: impl Into<String>) {
        self.problems.push(Finding {
            code: Code::EcsTaskDefinitionUnreadable,
            path: String::new(),
            message: message.into(),
        });
    }

    /// Notes something that was corrected.
    pub(super) fn change(&mut self, message: impl Into<String>) {
        self.changes.push(message.into());
    }

    /// Forgets what was corrected so far.
    pub(super) fn forget_changes(&mut self) {
        self.changes.clear();
    }

    /// Notes something that is used as it is, and that may not work.
    pub(super) fn warn(&mut self, code: Code, message: impl Into<String>) {
        self.warnings.push(Warning {
            code,
            message: message.into(),
        });
    }

    /// Returns the changes and the warnings, or the one problem that lists all problems.
    pub(super) fn into_result(
        self,
        origin: Origin,
    ) -> Result<(Vec<String>, Vec<Warning>), Problem> {
        let Some(first) = self.problems.first() else {
            return Ok((self.changes, self.warnings));
        };
        let is_one_kind = self.problems.iter().all(|each| each.code == first.code);
        let code = if is_one_kind {
            first.code
        } else {
            Code::EcsTaskDefinitionInvalid
        };
        let (what, why) = match self.problems.as_slice() {
            [only] => (only.message.clone(), Vec::new()),
            all => (
                format!("{} things must be corrected", all.len()),
                all.iter()
                    .map(|each| format!("{} [{}]", each.message, each.code.as_str()))
                    .collect(),
            ),
        };
        Err(Problem {
            code,
            what: format!("{}: {what}", origin.subject()),
            why,
            hint: Some(hint(code, origin).to_owned()),
        })
    }
}

fn hint(code: Code, origin: Origin) -> &'static str {
    match code {
        Code::EcsContainerUnclear => "Set `containerName` to the container that runs the image",
        _ if origin == Origin::Service => {
            "Register a correct revision and update the service to it, or give the definition as a file in `taskDefinition`"
        }
        Code::EcsPlaceholdersLeft => {
            "Write the real names into the file, or have a step before this one fill them in"
        }
        _ => {
            "Correct the file; docs/ecs.md says what is demanded and what the task changes by itself"
        }
    }
}
