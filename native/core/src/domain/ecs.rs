//! ECS task definitions: reading, correcting and checking them.

pub mod container;
pub mod dependencies;
pub mod encoding;
pub mod fargate;
pub mod field;
pub mod findings;
pub mod form;
pub mod limits;
pub mod model;
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
mod tests;
