//! ECS: task definitions, read, corrected and checked, and deployments of services.

pub mod container;
pub mod dependencies;
pub mod deployment;
pub mod encoding;
pub mod equivalence;
pub mod fargate;
pub mod field;
pub mod findings;
pub mod form;
pub mod limits;
pub mod log_stream;
pub mod model;
pub mod name;
pub mod placeholder;
pub mod references;
pub mod role;
pub mod sidecar;
pub mod size;
pub mod task_definition;
pub mod types;
pub mod unfilled;
pub mod unsupported;
pub mod warning;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
