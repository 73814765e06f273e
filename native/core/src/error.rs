//! Failures as data: what went wrong, why, and what to do.

mod code;

use std::error::Error;

pub use code::{Code, Kind};

use crate::outcome::Effect;

/// What every error enum of the crate can tell beside its text.
///
/// `Display` says what failed and never repeats its `source`, which says why.
pub trait Explain: Error {
    /// The stable code, which has a heading in docs/troubleshooting.md.
    fn code(&self) -> Code;

    /// What the user can do, ready to copy.
    fn hint(&self) -> Option<String>;
}

/// An error in the form in which facts keep it and a [`Failure`] shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// What failed, in one sentence without a final period.
    pub what: String,
    /// The causes, outermost first.
    pub why: Vec<String>,
    /// What the user can do.
    pub hint: Option<String>,
}

impl<E: Explain> From<E> for Problem {
    fn from(error: E) -> Self {
        let what = error.to_string();
        let mut why: Vec<String> = Vec::new();
        let mut cause = error.source();
        while let Some(error) = cause {
            // Libraries often repeat the inner text in the outer one, and then it says nothing more.
            let text = error.to_string();
            if !why.last().unwrap_or(&what).contains(&text) {
                why.extend(text.lines().map(str::to_owned));
            }
            cause = error.source();
        }
        Self {
            code: error.code(),
            what,
            why,
            hint: error.hint(),
        }
    }
}

/// How a run failed, with all that a person needs to act on it.
#[derive(Clone, Debug)]
pub struct Failure {
    /// What failed and why.
    pub problem: Problem,
    /// Title of the step that failed; none before the first step.
    pub step: Option<String>,
    /// What the run had already changed and leaves behind.
    pub effects: Vec<Effect>,
    /// What could not be cleaned up.
    pub cleanup: Vec<String>,
}

impl Failure {
    /// Who has to act: the code decides.
    #[must_use]
    pub fn kind(&self) -> Kind {
        self.problem.code.kind()
    }
}

#[cfg(test)]
mod tests {
    use super::{Code, Explain, Problem};

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read `a`")]
    struct Outer(#[source] std::io::Error);

    impl Explain for Outer {
        fn code(&self) -> Code {
            Code::TaskInternal
        }
        fn hint(&self) -> Option<String> {
            None
        }
    }

    #[test]
    fn the_causes_become_the_why_and_are_not_repeated_in_the_what() {
        let problem = Problem::from(Outer(std::io::Error::other("disk on fire")));
        assert_eq!(problem.what, "cannot read `a`");
        assert_eq!(problem.why, ["disk on fire"]);
    }
}
