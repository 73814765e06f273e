pub mod descriptor;
pub mod former_image;
pub mod manifest;
pub mod proof;
pub mod referrer;
pub mod registry_image;
pub mod sensor_files;
pub mod tag_mutability;
pub mod twin_keys;

#[cfg(test)]
mod fuzz;
