//! Patches ARM64 container images with the CrowdStrike Falcon sensor.
//!
//! The flow is one way: [`inputs`] → [`config`] → [`facts`] → [`plan`] → [`run`] → [`outcome`].
//! Nothing in here prints, and nothing knows of Node or of Azure Pipelines.

pub mod aws;
mod cause;
pub mod emulation;
pub mod engine;
pub mod error;
pub mod event;
pub mod journal;
pub mod outcome;
pub mod platform;
pub mod reference;
pub mod registry;
pub mod secret;
mod trust;
