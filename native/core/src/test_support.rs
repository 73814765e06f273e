//! Values that tests share: good inputs and facts to change, a server, and a client for it.

pub mod agent;
pub mod builder;
pub mod certificates;
pub mod config;
pub mod facts;
pub mod fault;
mod fault_samples;
pub mod fault_table;
pub mod fuzz;
pub mod loopback_registry;
pub mod loopback_server;
pub mod signing_key;
