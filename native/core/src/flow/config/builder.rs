//! The input that names a buildx builder.

use super::check::Check;
use crate::domain::builder::BuilderName;
use crate::report::code::Code;

/// The builder's name; none where no builder is asked for.
pub(super) fn name(check: &mut Check, value: &str) -> Option<BuilderName> {
    let value = check.text("builderName", value)?;
    match value.parse() {
        Ok(name) => Some(name),
        Err(why) => {
            check.refuse(
                Code::InputMalformed,
                "builderName",
                format!("`{value}`: {why}"),
            );
            None
        }
    }
}
