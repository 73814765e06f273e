//! The facts: values that the look finds and the plan decides by.

pub mod builder;
pub mod fact;
pub mod graft_cache;
pub mod keys;
pub mod lines;
pub mod patch;
pub mod probes;
pub mod sensor;
pub mod service;
pub mod source;
pub mod staged;
pub mod target;
pub mod verify;
