//! Shared parts of the engine tests.

pub mod engine_lab;
