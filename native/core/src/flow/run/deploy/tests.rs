//! Deployments against a server that answers as ECS does, one answer after the other.

mod changes;
mod credentials;
mod endings;
mod lost_answers;
mod records;
mod script;
