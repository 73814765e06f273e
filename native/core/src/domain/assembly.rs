//! The patched image as it is put together: the source, the sensor's folder as one layer, and falconutil's changes.

pub mod added_history;
pub mod assembled;
mod bounded_archive;
pub mod change;
pub mod folder_item;
pub mod layer_check;
mod links;
pub mod packed_layer;
pub mod sensor_folder;

#[cfg(test)]
mod tests;
