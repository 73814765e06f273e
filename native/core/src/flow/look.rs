//! The look: gathers the facts, and changes nothing.

pub mod builder;
pub mod ecs;
pub mod gather;
pub mod images;
mod piece_reader;
pub mod sensor;
pub mod sensor_files;
pub mod sidecars;
pub mod source;
pub mod target;
pub mod verify;
