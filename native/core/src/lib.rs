//! Patches ARM64 container images with the `CrowdStrike` Falcon sensor.
//!
//! The flow is one way: [`inputs`] → [`config`] → [`facts`] → [`plan`] → [`run`] → [`outcome`].
//! Nothing in here prints, and nothing knows of Node or of Azure Pipelines.

pub mod aws;
pub mod builder;
mod cause;
mod cleanup;
pub mod config;
pub mod ecs;
pub mod emulation;
pub mod engine;
pub mod error;
pub mod event;
pub mod facts;
pub mod falcon;
pub mod graft;
mod http;
pub mod inputs;
pub mod journal;
pub mod outcome;
pub mod plan;
pub mod platform;
mod proof;
pub mod provenance;
pub mod reference;
pub mod registry;
pub mod run;
pub mod secret;
mod services;
pub mod staging;
mod standing;
mod step;
pub mod sweep;
mod trust;
pub mod verify;

#[cfg(test)]
mod loopback_server;
