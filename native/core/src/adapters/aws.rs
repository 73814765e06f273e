pub mod account;
pub mod action;
pub mod call;
pub mod credential_provider;
pub mod delivery;
pub mod ecs;
pub mod endpoint;
pub mod error;
pub mod kms;
pub mod kms_error;
pub mod limited;
pub mod oidc;
pub mod repository;
pub mod role;
pub mod sdk;
pub mod task_definition;

#[cfg(test)]
pub mod tests;
