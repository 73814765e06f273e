//! What tests share: a server, and good inputs and facts to change.

pub mod config;
pub mod facts;
pub mod loopback_server;
