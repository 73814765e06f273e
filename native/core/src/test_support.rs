//! Values that tests share: good inputs and facts to change, and a server.

pub mod config;
pub mod facts;
pub mod loopback_server;
