//! The Node native addon: forwards to the core and translates its types.

// The SDK's types lie so deep in the run's future that its proof to be `Send` needs more steps than usual.
#![recursion_limit = "256"]
#![expect(
    clippy::needless_pass_by_value,
    reason = "napi hands functions over by value"
)]

mod context;
mod ending;
mod events;
mod number;
mod patch_run;
mod planned_stage;
mod service_deployment;
mod sweep;
mod verified_image;

use falcon_patch_core::Code;
use napi_derive::napi;

pub use patch_run::PatchRun;
pub use sweep::sweep;

/// The version of the addon, which equals that of the task.
#[napi]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// Every code that a failure or a warning can carry, for the test that compares them with the documentation.
#[napi]
#[must_use]
pub fn codes() -> Vec<String> {
    Code::ALL
        .iter()
        .map(|code| code.as_str().to_owned())
        .collect()
}
