//! Deploys a verified image to an ECS service: gate, look, registration, one update, and the watch over it.

pub mod context;
pub mod drive;
pub mod failure;
pub mod images;
pub mod pace;
pub mod record;
pub mod register;
pub mod session;
pub mod started;
mod unknown;
pub mod update;
pub mod watch;
pub mod watch_log;

#[cfg(test)]
mod tests;
