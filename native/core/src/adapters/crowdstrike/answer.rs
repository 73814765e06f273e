//! Answers of the API, taken apart.

use reqwest::Url;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::FalconError;
use crate::adapters::http::client::{Answer, NoAnswer};
use crate::domain::falcon::region::Region;
use crate::report::cause::Cause;

/// Names the cloud that a client belongs to.
const REGION_HEADER: &str = "x-cs-region";

/// Message of the API when it refuses.
#[derive(Deserialize)]
struct FalconRefusal {
    errors: Vec<RefusalError>,
}

#[derive(Deserialize)]
struct RefusalError {
    message: String,
}

/// The cloud that an answer names; the one that was asked if it names none.
pub(super) fn named_region(answer: &Answer, asked: Region) -> Result<Region, FalconError> {
    let Some(name) = answer.header(REGION_HEADER).filter(|name| !name.is_empty()) else {
        return Ok(asked);
    };
    let name = name.trim().to_ascii_lowercase();
    Region::named(&name).ok_or_else(|| FalconError::RegionMismatch {
        asked: asked.name(),
        actual: Cause::said(&name).to_string(),
    })
}

/// A call's address below that of the API, which may have a path of its own behind a proxy.
pub(super) fn at(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    let base = url.path().trim_end_matches('/').to_owned();
    url.set_path(&format!("{base}/{path}"));
    url
}

pub(super) fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

pub(super) fn read<T: DeserializeOwned>(url: &Url, answer: &Answer) -> Result<T, FalconError> {
    // The parser's own words could quote a secret.
    serde_json::from_slice(&answer.body).map_err(|_| FalconError::AnswerInvalid {
        host: host(url),
        source: Cause::said("it is not JSON of the expected form"),
    })
}

pub(super) fn cause(answer: &Answer) -> Cause {
    let refusal: Option<FalconRefusal> = serde_json::from_slice(&answer.body).ok();
    let first = refusal.and_then(|refusal| refusal.errors.into_iter().next());
    let said = match first {
        Some(error) => error.message,
        None => String::from_utf8_lossy(&answer.body).into_owned(),
    };
    Cause::said(&format!(
        "the API answers {}: {said}",
        answer.status.as_u16()
    ))
}

pub(super) fn not_reachable(url: &Url, no_answer: NoAnswer) -> FalconError {
    let host = host(url);
    match no_answer {
        NoAnswer::Connection { source, tls } => FalconError::NotReachable { host, tls, source },
        NoAnswer::Redirect(source) => FalconError::AnswerInvalid { host, source },
        NoAnswer::TooLong { limit } => FalconError::AnswerInvalid {
            host,
            source: Cause::said(&format!("it has more than {limit} bytes")),
        },
    }
}
