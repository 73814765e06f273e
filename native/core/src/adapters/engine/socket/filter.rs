//! The filter: each request is read, decided on, and made anew from what the run grants.

pub mod build;
pub mod build_arguments;
pub mod call;
pub mod context;
pub mod decide;
pub mod dockerfile;
pub mod forward;
pub mod info;
pub mod parameters;

#[cfg(test)]
mod fuzz;
