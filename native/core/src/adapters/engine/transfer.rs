pub mod follow;
pub mod message;
pub mod progress;
pub mod start;

#[cfg(test)]
mod fuzz;
