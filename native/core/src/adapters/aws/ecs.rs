//! Calls to ECS: services, their deployments and tasks, and task definitions as they are registered.

pub mod client;
pub mod definition;
pub mod error;
pub mod read;
pub mod refusal;
pub mod service;
pub mod service_deployment;
pub mod tasks;

#[cfg(test)]
mod fuzz;
