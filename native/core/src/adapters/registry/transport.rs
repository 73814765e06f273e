//! One request and its answer, with nothing tried again.

use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, RANGE};
use reqwest::{Response, Url};

use super::authorization_header::AuthorizationHeader;
use super::request_kind::RegistryRequest;
use crate::adapters::http::client::{Http, NoAnswer};
use crate::domain::address::is_loopback;
use crate::domain::reference::repository::Repository;
use crate::report::cause::Cause;

/// A request that can be sent several times.
pub(super) struct Request {
    pub(super) kind: RegistryRequest,
    /// Repository that is asked about; its registry gets the request.
    pub(super) repository: Repository,
    /// Part of the URL that follows the host.
    pub(super) path: String,
    /// First byte that is wanted of a blob; an answer may ignore it. 0 asks for the whole.
    pub(super) offset: u64,
    /// The media types that are understood.
    pub(super) accept: Option<&'static str>,
    /// Bytes that are sent, with their media type.
    pub(super) body: Option<(String, Vec<u8>)>,
    /// The most bytes that the answer may have.
    pub(super) limit: usize,
}

/// Sends a request; its answer must be read to its end within `time`.
pub(super) async fn send(
    http: &Http,
    request: &Request,
    pass: Option<AuthorizationHeader>,
    time: Duration,
) -> Result<Response, NoAnswer> {
    let url = url(&request.repository, &request.path)?;
    let mut builder = http.request(request.kind, url).timeout(time);
    if let Some(value) = pass.as_ref().and_then(AuthorizationHeader::header) {
        builder = builder.header(AUTHORIZATION, value);
    }
    if request.offset > 0 {
        builder = builder.header(RANGE, format!("bytes={}-", request.offset));
    }
    if let Some(accept) = request.accept {
        builder = builder.header(ACCEPT, accept);
    }
    if let Some((media_type, body)) = &request.body {
        builder = builder.header(CONTENT_TYPE, media_type).body(body.clone());
    }
    Ok(builder.send().await?)
}

/// The address of something in a repository's registry.
pub(super) fn url(repository: &Repository, path: &str) -> Result<Url, NoAnswer> {
    let registry = repository.endpoint();
    let scheme = if is_loopback(registry) {
        "http"
    } else {
        "https"
    };
    let url = format!("{scheme}://{registry}{path}");
    // References were checked when they were read, so this is a guard and no path that is taken.
    Url::parse(&url).map_err(|error| NoAnswer::Redirect(Cause::of(&error)))
}
