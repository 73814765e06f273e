pub mod answer;
pub mod api;
pub mod error;
pub mod session;
pub mod tenant;
