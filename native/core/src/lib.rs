//! Patches ARM64 container images with the `CrowdStrike` Falcon sensor.
//!
//! Four floors, each of which knows those before it alone: `report` ← `domain` ← `adapters` ← `flow`. The flow is one
//! way: [`inputs`] → config → facts → plan → [`run`] → [`outcome`]. Nothing in here prints, knows of Node, or reads a
//! variable of Azure Pipelines.

mod adapters;
mod domain;
mod flow;
mod report;

#[cfg(test)]
mod test_support;

pub use adapters::engine::client::{Engine, EngineSettings};
pub use adapters::engine::container::spec::{Bind, ContainerSpec, LABEL_RUN, Network};
pub use adapters::engine::error::failure::EngineError;
pub use adapters::engine::error::reason::{Reason, names_exec_format_error};
pub use adapters::engine::image::Removal;
pub use adapters::engine::registry_auth::RegistryAuth;
pub use adapters::engine::socket::access::Access;
pub use adapters::engine::socket::grant::{Grant, GrantedImage};
pub use adapters::engine::socket::listen::EngineSocket;
pub use domain::agent::{Agent, Origin};
pub use domain::engine::{EngineMounts, Mountable, Store};
pub use domain::platform::Platform;
pub use domain::provenance::signed_record::Record;
pub use domain::reference::digest::Digest;
pub use domain::reference::repository::Repository;
pub use domain::reference::tag::Tag;
pub use flow::effect::Effect;
pub use flow::inputs;
pub use flow::outcome;
pub use flow::run::drive::run;
pub use flow::sweep::sweep;
pub use report::code::{Code, Kind};
pub use report::event::{Event, Events, PlannedStage, StepEvents, StepStatus};
pub use report::panic::silence_panics;
pub use report::problem::Explain;
pub use report::secret::Secret;
