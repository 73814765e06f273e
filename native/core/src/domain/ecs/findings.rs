//! Collects what a task definition needs, so that all of it is told at once.

use crate::report::code::Code;
use crate::report::problem::Problem;

/// Findings made while a task definition was read.
#[derive(Default)]
pub(super) struct Findings {
    problems: Vec<(Code, String)>,
    changes: Vec<String>,
    warnings: Vec<String>,
}

impl Findings {
    /// Notes something that a person has to correct.
    pub(super) fn refuse(&mut self, message: impl Into<String>) {
        self.refuse_as(Code::EcsTaskDefinitionInvalid, message);
    }

    /// Notes something that a person has to correct, under a code of its own.
    pub(super) fn refuse_as(&mut self, code: Code, message: impl Into<String>) {
        self.problems.push((code, message.into()));
    }

    /// Notes something that was corrected.
    pub(super) fn change(&mut self, message: impl Into<String>) {
        self.changes.push(message.into());
    }

    /// Notes something that may keep the sensor from working.
    pub(super) fn warn(&mut self, message: impl Into<String>) {
        self.warnings.push(message.into());
    }

    /// The changes and the warnings, or the one problem that tells all problems.
    pub(super) fn into_result(self) -> Result<(Vec<String>, Vec<String>), Problem> {
        let Some((first, _)) = self.problems.first() else {
            return Ok((self.changes, self.warnings));
        };
        let is_one_kind = self.problems.iter().all(|(code, _)| code == first);
        let code = if is_one_kind {
            *first
        } else {
            Code::EcsTaskDefinitionInvalid
        };
        let (what, why) = match self.problems.as_slice() {
            [(_, only)] => (only.clone(), Vec::new()),
            all => (
                format!("{} things must be corrected", all.len()),
                all.iter()
                    .map(|(code, message)| format!("{message} [{}]", code.as_str()))
                    .collect(),
            ),
        };
        Err(Problem {
            code,
            what: format!("Invalid input `taskDefinition`: {what}"),
            why,
            hint: Some(hint(code).to_owned()),
        })
    }
}

fn hint(code: Code) -> &'static str {
    match code {
        Code::EcsPlaceholdersLeft => {
            "Write the real names into the file, or have a step before this one fill them in"
        }
        Code::EcsContainerUnclear => "Set `containerName` to the container that runs the image",
        _ => {
            "Correct the file; docs/ecs.md says what is demanded and what the task changes by itself"
        }
    }
}
