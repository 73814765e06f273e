pub mod lifecycle;
pub mod output;
pub mod service;
pub mod spec;
