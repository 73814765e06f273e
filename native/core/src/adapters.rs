pub mod aws;
pub mod binfmt;
pub mod buildx;
pub mod crowdstrike;
pub mod engine;
pub mod http;
pub mod journal;
pub mod registry;
