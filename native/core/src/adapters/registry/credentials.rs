pub mod cache;
pub mod docker_config;
pub mod error;
pub mod helper;

#[cfg(test)]
pub(super) mod tests;
