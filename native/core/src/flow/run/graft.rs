//! Grafting: patching an image whose layers never leave the registry.
//!
//! 1. falconutil patches a stub: an image with the source's configuration and one empty layer ([`make`]).
//! 2. The one layer that it added is exported from the engine and written anew ([`delta`]), so that the same sensor
//!    results in the same bytes.
//! 3. That layer and falconutil's changes of the configuration are put on the source's own manifest ([`push_grafted`]).
//!
//! An obstacle rules a graft out, and `strategy: full` is used then. Nothing in here knows falconutil's rules: its
//! changes to the stub are applied to the source.

pub mod added_layer;
pub mod delta;
pub mod grafted;
pub mod make;
pub mod memory;
pub mod push_grafted;
pub mod ungrafted;

#[cfg(test)]
mod tests;
