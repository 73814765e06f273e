pub mod follow;
pub mod message;
pub mod progress;
pub mod start;
