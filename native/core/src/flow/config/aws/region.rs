//! The inputs and the variable that name a region, and the input that names an account.

use crate::flow::config::check::Check;
use crate::flow::config::input_fault::InputFault;
use crate::flow::inputs::Inputs;

/// The region that the input names.
pub(super) fn region(check: &mut Check, inputs: &Inputs) -> Option<String> {
    read_region(check, "awsRegion", &inputs.aws_region)
}

/// The region of the toolkit's variable, which counts less than the regions of the images.
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
    let message = format!("`{region}` is not a valid AWS region (example: `eu-west-1`)");
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
        format!("`{account}` is not a valid AWS account: it must be 12 digits"),
    );
    None
}
