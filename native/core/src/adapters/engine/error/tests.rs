//! Real messages of engines 26.1 and 28.5 on both stores, and of Docker Hub and ECR, and what is made of them.

use super::failure::EngineError;
use super::fault::Fault;

const IMAGE: &str =
    "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web@sha256:39e438e0d1bf931b4bd11c9c625052d1";

fn pull(status: u16, message: &str) -> EngineError {
    let body = serde_json::json!({ "message": message }).to_string();
    EngineError::Pull {
        image: IMAGE.to_owned(),
        source: Fault::status(status, body.as_bytes()).into_refusal(),
    }
}

/// A failure inside a stream that began with 200.
fn streamed(message: &str) -> EngineError {
    let fault = Fault::Refused {
        status: None,
        message: message.to_owned(),
    };
    EngineError::Pull {
        image: IMAGE.to_owned(),
        source: fault.into_refusal(),
    }
}

mod connections;
mod pulls;
mod streams;
mod wording;
