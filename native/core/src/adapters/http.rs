pub mod client;
pub mod connection;
pub mod retry;
pub mod trust;
