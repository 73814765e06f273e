//! The look: gathers the facts, and changes nothing.

pub mod builder;
pub mod ecs;
pub mod gather;
pub mod images;
pub mod sensor;
pub mod sidecars;
pub mod source;
pub mod target;
pub mod verify;
