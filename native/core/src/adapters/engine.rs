pub mod address;
pub mod archive;
pub mod client;
mod connect;
pub mod container;
pub mod error;
pub mod facts;
pub mod image;
mod limits;
pub mod mounts;
pub mod registry_auth;
pub mod socket;
pub mod tls;
pub mod transfer;
pub mod volume;
pub mod wire;

#[cfg(test)]
mod tests;
