//! The verification: decides whether an image is patched, and why not.

pub mod decide;
mod refusal;
