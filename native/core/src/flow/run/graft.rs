//! Grafting: patching an image whose layers never leave the registry.
//!
//! 1. falconutil patches a stub: an image with the source's configuration and one empty layer ([`make`]).
//! 2. Its result is assembled on the source's own manifest, as that of `strategy: full` is.
//!
//! 3. The answer is kept for later runs ([`keep`]), which then need neither falconutil nor an engine.
//!
//! An obstacle rules a graft out, and `strategy: full` is used then. Nothing in here knows falconutil's rules: its
//! changes to the stub are applied to the source.

pub mod keep;
pub mod make;
pub mod ungrafted;
