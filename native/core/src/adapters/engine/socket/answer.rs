//! Answers to the client of the socket.

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

/// Answer to the client of the socket.
pub(super) type SocketAnswer = Response<BoxBody<Bytes, hyper::Error>>;

/// An error in the engine's own form.
pub(super) fn error(status: StatusCode, message: &str) -> SocketAnswer {
    document(status, &serde_json::json!({ "message": message }))
}

/// A JSON document.
pub(super) fn document(status: StatusCode, value: &serde_json::Value) -> SocketAnswer {
    let body = Full::<Bytes>::from(value.to_string()).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}
