//! Collects the problems of the inputs, so that all of them are reported at once.

use std::ops::RangeInclusive;

use super::input_fault::InputFault;
use crate::domain::reference::error::ReferenceError;
use crate::domain::reference::image_name::ImageName;
use crate::report::code::Code;
use crate::report::problem::Problem;

/// A problem with one input.
struct InputProblem {
    fault: InputFault,
    message: String,
    /// Advice with values of the input, in place of the kind's.
    hint: Option<String>,
}

/// The check of all inputs: each method returns the value if it is good and notes the problem if not.
#[derive(Default)]
pub(super) struct Check {
    problems: Vec<InputProblem>,
}

impl Check {
    /// Notes that `input` has a problem.
    pub(super) fn refuse(&mut self, fault: InputFault, input: &str, message: impl AsRef<str>) {
        self.note(fault, input, message.as_ref(), None);
    }

    /// Notes that `input` has a problem, with advice that holds the input's own values.
    pub(super) fn refuse_with(
        &mut self,
        fault: InputFault,
        input: &str,
        message: impl AsRef<str>,
        hint: String,
    ) {
        self.note(fault, input, message.as_ref(), Some(hint));
    }

    fn note(&mut self, fault: InputFault, input: &str, message: &str, hint: Option<String>) {
        self.problems.push(InputProblem {
            fault,
            message: format!("`{input}`: {message}"),
            hint,
        });
    }

    /// The one problem that lists all others; none if every input was good.
    pub(super) fn into_problem(self) -> Option<Problem> {
        let first = self.problems.first()?;
        if let [only] = self.problems.as_slice() {
            return Some(Problem {
                code: only.fault.code(),
                what: format!("Invalid input {}", only.message),
                why: Vec::new(),
                hint: Some(
                    only.hint
                        .clone()
                        .unwrap_or_else(|| only.fault.hint().to_owned()),
                ),
            });
        }
        let fault = first.fault;
        let same = self.problems.iter().all(|problem| problem.fault == fault);
        let same_code = self
            .problems
            .iter()
            .all(|problem| problem.fault.code() == fault.code());
        let names = self
            .problems
            .iter()
            .filter_map(|p| p.message.split(':').next());
        let mut names: Vec<&str> = names.collect();
        names.dedup();
        Some(Problem {
            code: if same_code {
                fault.code()
            } else {
                Code::InputInvalid
            },
            what: format!("{} inputs are invalid: {}", names.len(), names.join(", ")),
            why: self
                .problems
                .iter()
                .map(|p| format!("{} [{}]", p.message, p.fault.code().as_str()))
                .collect(),
            hint: Some(if same { fault.hint() } else { "Correct each input listed above; docs/troubleshooting.md has a heading for every code" }.to_owned()),
        })
    }

    /// The text of an input that fits on one line; `None` when it is empty or unusable.
    pub(super) fn text<'a>(&mut self, input: &str, value: &'a str) -> Option<&'a str> {
        let value = value.trim();
        if let Some(variable) = unresolved_variable(value) {
            let (fault, why) = if is_output(variable) {
                (
                    InputFault::UnresolvedOutput,
                    "no earlier step of this job has set it, and no variable has that name",
                )
            } else {
                (
                    InputFault::UnresolvedVariable,
                    "the pipeline has no variable of that name",
                )
            };
            self.refuse(fault, input, format!("still holds `{variable}`, so {why}"));
            return None;
        }
        if value.contains(['\n', '\r', '\0']) {
            self.refuse(InputFault::Malformed, input, "must be a single line");
            return None;
        }
        (!value.is_empty()).then_some(value)
    }

    /// The text of a secret input. A failure shows nothing of it, unless all of it is one `$(NAME)`.
    pub(super) fn secret<'a>(&mut self, input: &str, value: &'a str) -> Option<&'a str> {
        if value.contains("$(") && !is_variable(value.trim()) {
            self.refuse(
                InputFault::UnresolvedVariable,
                input,
                "still holds a variable that the pipeline does not have: there is `$(` in it",
            );
            return None;
        }
        self.text(input, value)
    }

    /// The text of a required secret input.
    pub(super) fn required_secret<'a>(&mut self, input: &str, value: &'a str) -> Option<&'a str> {
        if value.trim().is_empty() {
            return self.required(input, value);
        }
        self.secret(input, value)
    }

    /// The text of a required input.
    pub(super) fn required<'a>(&mut self, input: &str, value: &'a str) -> Option<&'a str> {
        if value.trim().is_empty() {
            self.refuse_with(
                InputFault::Missing,
                input,
                "is required and empty",
                format!("Set `{input}` in the step"),
            );
            return None;
        }
        self.text(input, value)
    }

    /// One of several allowed words, the first of which stands for an empty input.
    pub(super) fn choice<T: Copy>(
        &mut self,
        input: &str,
        value: &str,
        allowed: &[(&str, T)],
    ) -> Option<T> {
        let value = if value.trim().is_empty() {
            allowed[0].0
        } else {
            self.text(input, value)?
        };
        if let Some((_, meaning)) = allowed.iter().find(|(word, _)| *word == value) {
            return Some(*meaning);
        }
        let words: Vec<&str> = allowed.iter().map(|(word, _)| *word).collect();
        self.refuse(
            InputFault::UnknownValue,
            input,
            unknown_value(value, &words),
        );
        None
    }

    /// A boolean, which the agent passes as `true` or `false`.
    pub(super) fn boolean(&mut self, input: &str, value: &str, default: bool) -> Option<bool> {
        let word = value.trim().to_ascii_lowercase();
        let default = [("true", true), ("false", false)][usize::from(!default)];
        self.choice(input, &word, &[default, ("true", true), ("false", false)])
    }

    /// A whole number within `range`; an empty input means `default`.
    pub(super) fn number(
        &mut self,
        input: &str,
        value: &str,
        default: u32,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        if value.trim().is_empty() {
            return Some(default);
        }
        let text = self.text(input, value)?;
        let number = text.parse().ok().filter(|number| range.contains(number));
        if number.is_none() {
            let (first, last) = (range.start(), range.end());
            let message = format!("`{text}` is not a whole number from {first} to {last}");
            self.refuse(InputFault::Malformed, input, message);
        }
        number
    }

    /// A required image reference.
    pub(super) fn image(&mut self, input: &str, value: &str) -> Option<ImageName> {
        let value = self.required(input, value)?;
        match value.parse() {
            Ok(name) => Some(name),
            Err(error) => {
                self.refuse(InputFault::ReferenceInvalid, input, describe(value, &error));
                None
            }
        }
    }

    /// Refuses inputs that would be ignored, each with its default: a user who sets them expects an effect.
    pub(super) fn without_effect(&mut self, inputs: &[(&str, &str, &str)], beside: &str) {
        for (name, value, default) in inputs {
            let value = value.trim();
            if !value.is_empty() && !value.eq_ignore_ascii_case(default) {
                let message = format!("has no effect with {beside}");
                self.refuse(InputFault::WithoutEffect, name, message);
            }
        }
    }
}

fn describe(value: &str, error: &ReferenceError) -> String {
    format!("`{value}` is not an image reference: {error}")
}

/// The first `$(NAME)` in a text: Azure Pipelines leaves a macro in place when no variable has its name.
fn unresolved_variable(text: &str) -> Option<&str> {
    let start = text.find("$(")?;
    let end = text[start..]
        .find(')')
        .map_or(text.len(), |end| start + end + 1);
    Some(&text[start..end])
}

/// Groups of variables that Azure Pipelines and the AWS Toolkit define
/// (<https://learn.microsoft.com/azure/devops/pipelines/build/variables>).
const DEFINED: [&str; 10] = [
    "agent",
    "aws",
    "build",
    "checks",
    "environment",
    "pipeline",
    "release",
    "resources",
    "strategy",
    "system",
];

/// Returns true if a `$(NAME)` can only be the output of a step: `STEP.VARIABLE`.
fn is_output(variable: &str) -> bool {
    let name = variable.trim_start_matches("$(").trim_end_matches(')');
    name.split_once('.').is_some_and(|(step, output)| {
        let is_word = |text: &str| {
            !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        };
        is_word(step) && is_word(output) && !DEFINED.contains(&step.to_ascii_lowercase().as_str())
    })
}

/// Returns true if a text is one `$(NAME)` and nothing else, which no secret is.
fn is_variable(text: &str) -> bool {
    let name = text
        .strip_prefix("$(")
        .and_then(|rest| rest.strip_suffix(')'));
    name.is_some_and(|name| {
        !name.is_empty()
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'))
    })
}

fn unknown_value(value: &str, allowed: &[&str]) -> String {
    let listed: Vec<String> = allowed.iter().map(|word| format!("`{word}`")).collect();
    let mut listed = listed;
    listed.sort();
    listed.dedup();
    let nearest = allowed
        .iter()
        .map(|word| (strsim::jaro_winkler(word, &value.to_lowercase()), word))
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .filter(|(likeness, _)| *likeness > 0.75);
    let question =
        nearest.map_or_else(String::new, |(_, word)| format!("; did you mean `{word}`?"));
    format!("`{value}` is not one of {}{question}", listed.join(", "))
}

#[cfg(test)]
mod tests {
    use crate::report::code::Code;
    use crate::test_support::config::{inputs, read};

    #[test]
    fn an_output_of_a_step_is_not_looked_for_in_variable_groups() {
        for (text, is_output) in [
            ("$(falcon.imageReference)", true),
            ("app/web:$(version.SemVer)", true),
            ("$(build_1.tag)", true),
            ("$(Build.BuildID)", false),
            ("$(FALCON_CID)", false),
            ("$(AWS.Region)", false),
        ] {
            let mut inputs = inputs();
            inputs.source_image = text.to_owned();
            let problem = read(&inputs).expect_err("a problem");
            assert_eq!(problem.code, Code::InputUnresolvedVariable, "{text}");
            let hint = problem.hint.expect("a hint");
            assert_eq!(hint.contains("`name:`"), is_output, "{text}: {hint}");
            assert_eq!(
                hint.contains("dependencies.JOB.outputs"),
                is_output,
                "{hint}"
            );
            assert_eq!(hint.contains("variable group"), !is_output, "{hint}");
        }
        let mut both = inputs();
        both.source_image = "$(falcon.imageReference)".to_owned();
        both.falcon_cid = "$(FALCON_CID)".to_owned();
        let problem = read(&both).expect_err("a problem");
        assert_eq!(problem.code, Code::InputUnresolvedVariable);
    }
}
