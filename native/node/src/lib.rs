//! The Node native addon: forwards to the core and translates its types.

use napi_derive::napi;

/// The version of the addon, which equals that of the task.
#[napi]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
