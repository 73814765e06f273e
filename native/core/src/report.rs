pub mod cause;
pub mod code;
pub mod event;
pub mod panic;
pub mod problem;
pub mod secret;

#[cfg(test)]
mod fuzz;
