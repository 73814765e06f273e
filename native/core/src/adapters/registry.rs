pub mod artifact;
pub mod attempt;
pub mod authorization_header;
pub mod blob;
pub mod blob_reading;
pub mod blob_stream;
pub mod challenge;
pub mod client;
pub mod copy;
pub mod credentials;
pub mod error;
pub mod exchange;
pub mod header_value;
pub mod manifest;
pub mod next_page;
pub mod ping;
pub mod read;
pub mod referrers;
pub mod refusal;
pub mod request_kind;
pub mod sign_in;
pub mod subject;
pub mod tags;
pub mod token;
pub mod transport;
pub mod upload;
pub mod write;

#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod tests;
