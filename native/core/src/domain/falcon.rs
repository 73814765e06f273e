pub mod api_settings;
pub mod cloud_service;
pub mod customer_id;
pub mod elf;
pub mod falconutil;
pub mod marks;
pub mod options;
pub mod program;
pub mod region;
pub mod release;
pub mod version;

#[cfg(test)]
mod fuzz;
