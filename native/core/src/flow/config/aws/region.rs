//! The inputs and the variable that name a region, and the input that names an account.

use crate::flow::config::check::Check;
use crate::flow::config::input_fault::InputFault;
use crate::flow::inputs::Inputs;

/// The region that was typed.
pub(super) fn region(check: &mut Check, inputs: &Inputs) -> Option<String> {
    read_region(check, "awsRegion", &inputs.aws_region)
}

/// The region of the toolkit's variable, which comes after what the images' own references say.
pub(super) fn region_variable(check: &mut Check, inputs: &Inputs) -> Option<String> {
    read_region(check, "AWS.Region", &inputs.aws_context.variables.region)
}

fn read_region(check: &mut Check, name: &str, value: &str) -> Option<String> {
    let region = check.text(name, value)?;
    let is_word = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    };
    if region.split('-').count() >= 3 && region.split('-').all(is_word) {
        return Some(region.to_owned());
    }
    let message = format!("`{region}` is no AWS region; write it as in `eu-west-1`");
    check.refuse(InputFault::Malformed, name, message);
    None
}

pub(super) fn account(check: &mut Check, inputs: &Inputs) -> Option<String> {
    let account = check.text("awsAccount", &inputs.aws_account)?;
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        return Some(account.to_owned());
    }
    check.refuse(
        InputFault::Malformed,
        "awsAccount",
        format!("`{account}` is no AWS account; it has to be 12 digits"),
    );
    None
}
