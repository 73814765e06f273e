//! Docker's buildx: its plugin, and the files in which it keeps builders.

pub mod instances;
pub mod plugin;
