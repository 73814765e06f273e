//! The input that names a buildx builder.

use super::check::Check;
use super::input_fault::InputFault;
use crate::domain::builder::BuilderName;

/// The builder's name; none where the input is empty.
pub(super) fn name(check: &mut Check, value: &str) -> Option<BuilderName> {
    let value = check.text("builderName", value)?;
    match value.parse() {
        Ok(name) => Some(name),
        Err(why) => {
            check.refuse(
                InputFault::Malformed,
                "builderName",
                format!("`{value}`: {why}"),
            );
            None
        }
    }
}
