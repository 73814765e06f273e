pub mod claims;
pub mod denial;
pub mod identity;
pub mod revision;
pub mod settings;
