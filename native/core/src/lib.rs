//! Patches ARM64 container images with the CrowdStrike Falcon sensor.
pub mod aws;
pub mod cause;
pub mod error;
pub mod event;
pub mod outcome;
pub mod platform;
pub mod reference;
pub mod registry;
pub mod secret;
mod trust;

#[cfg(test)]
mod loopback_server;
