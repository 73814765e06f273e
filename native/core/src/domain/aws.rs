pub mod claims;
pub mod denial;
pub mod identity;
pub mod kms_key;
pub mod partition;
pub mod registered_definition;
pub mod revision;
pub mod settings;
