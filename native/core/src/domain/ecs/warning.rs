//! Warnings about a task definition that is used as it is.

use crate::report::code::Code;

/// A part of a task definition that may not work, or not as it was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// The code, with its heading in docs/troubleshooting.md.
    pub code: Code,
    /// Message that says what was found, a sentence without a final period.
    pub message: String,
}
