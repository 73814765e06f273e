//! The patched image, put together and pushed by the task itself; the engine pushes nothing.
//!
//! 1. What falconutil built in the engine is compared with what it was built on ([`patched`], [`added_files`]).
//! 2. The sensor's folder is taken out of it and written anew as one layer ([`sensor_layer`], [`pack`]).
//! 3. That layer and falconutil's changes of the configuration are put on the source, and the result is compared with
//!    the source ([`patched`]). A source that is in the engine alone is exported for that ([`engine_source`]).
//! 4. Layers, configuration and manifest are pushed by digest ([`push`]). Tags come last.
//!
//! So nothing but the sensor's folder can be added, no name that others share is touched, and the same source, sensor
//! and options result in the same digest.

pub mod added_files;
pub mod engine_source;
pub mod export;
pub mod failure;
pub mod pack;
pub mod patched;
pub mod published;
pub mod push;
pub mod pushed_image;
pub mod ready_image;
pub mod sensor_layer;

#[cfg(test)]
mod tests;
