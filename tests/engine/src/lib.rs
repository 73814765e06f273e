//! What the engine tests share.

pub mod engine_lab;
