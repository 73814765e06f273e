//! The socket that the sensor's container gets instead of the engine's own.

pub mod access;
pub mod answer;
pub mod direct;
pub mod filter;
pub mod forward;
pub mod grant;
pub mod listen;
pub mod refusals;

#[cfg(test)]
mod tests;
