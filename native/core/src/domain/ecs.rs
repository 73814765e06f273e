pub mod container;
pub mod fargate;
pub mod field;
pub mod findings;
pub mod form;
pub mod placeholder;
pub mod size;
pub mod task_definition;

#[cfg(test)]
mod tests;
