//! Patches ARM64 container images with the CrowdStrike Falcon sensor.
pub mod emulation;
pub mod engine;
pub mod error;
pub mod event;
pub mod journal;
pub mod outcome;
pub mod platform;
pub mod reference;
pub mod secret;
