//! Failures as data: what went wrong, why, and what to do.

use std::error::Error;

use super::code::Code;

/// Explanation that every error enum of the crate can give beside its text.
///
/// `Display` says what failed and never repeats its `source`, which says why.
pub trait Explain: Error {
    /// The stable code, which has a heading in docs/troubleshooting.md.
    fn code(&self) -> Code;

    /// Returns advice for the user, ready to copy.
    fn hint(&self) -> Option<String>;
}

/// An error in the form in which facts keep it and a failed run shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The stable code.
    pub code: Code,
    /// Description of the failure, in one sentence without a final period.
    pub what: String,
    /// The causes, outermost first.
    pub why: Vec<String>,
    /// Advice for the user.
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

#[cfg(test)]
mod tests {
    use super::{Explain, Problem};
    use crate::report::code::Code;

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
