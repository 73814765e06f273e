//! Deployments of an ECS service: the service as ECS describes it, and the verdict on one deployment.

pub mod change;
pub mod detail;
pub mod fitness;
pub mod service;
pub mod task;
pub mod verdict;

#[cfg(test)]
mod tests;
