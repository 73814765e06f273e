//! Grafting: the run of falconutil on a stub, the layer that it adds, and the push.

pub mod added_layer;
pub mod delta;
pub mod grafted;
pub mod make;
pub mod memory;
pub mod push_grafted;
pub mod ungrafted;

#[cfg(test)]
mod tests;
