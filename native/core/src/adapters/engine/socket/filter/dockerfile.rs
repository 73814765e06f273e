//! A Dockerfile: read, checked against what the run grants, and written anew.

pub mod copy;
pub mod instruction;
pub mod lines;
pub mod rewrite;
pub mod stages;

#[cfg(test)]
mod tests;
