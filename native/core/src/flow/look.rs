//! The look: gathers the facts, and changes nothing.

pub mod builder;
mod bundles;
pub mod ecs;
mod entry_signature;
pub mod gather;
pub mod graft_cache;
pub mod images;
pub mod keys;
mod nearest_entry;
mod piece_reader;
pub mod records;
pub mod sensor;
pub mod sensor_files;
pub mod service;
pub mod sidecars;
pub mod source;
pub mod target;
pub mod verify;
