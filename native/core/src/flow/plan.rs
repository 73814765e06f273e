//! The plan: decides what to do, from the configuration and the facts.

pub mod decide;
pub mod deployment;
pub mod emulator_refusal;
pub mod engine_access;
pub mod falconutil_choice;
pub mod graft_source;
pub mod native_program;
pub mod prepare;
pub mod ready;
pub mod refusal;
pub mod stages;
pub mod step;
pub mod target_state;

#[cfg(test)]
mod tests;
