pub mod digest;
pub mod docker_hub;
pub mod ecr_host;
pub mod error;
pub mod hashing;
pub mod image_name;
pub mod repository;
pub mod tag;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
