//! Search of an image's layers for the file that its entrypoint names.

pub mod answer;
mod budget;
mod decoder;
pub mod file_copy;
mod layer_tree;
mod limits;
pub mod search;
mod tar_entries;
mod walk;

#[cfg(test)]
mod tests;
