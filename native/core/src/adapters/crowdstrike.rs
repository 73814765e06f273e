pub mod answer;
pub mod api;
pub mod error;
pub mod request_kind;
pub mod session;
pub mod tenant;
