//! The rules of the patched image that need neither an engine nor a registry.

mod assembling;
mod changes;
mod folders;
mod fuzz;
mod histories;
mod layers;
