//! The configuration: the inputs, read and checked.

pub mod aws;
pub mod builder;
pub mod check;
pub mod deploy;
pub mod ecs;
pub mod falcon;
pub mod falcon_fields;
pub mod image;
pub mod input_fault;
pub mod patch;
pub mod read;
pub mod signing;
pub mod staging;
pub mod verify;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
