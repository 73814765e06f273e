//! The inputs that concern AWS.

pub mod oidc;
pub mod read;
pub mod region;
pub mod role;
pub mod sign_in;

#[cfg(test)]
mod tests;
