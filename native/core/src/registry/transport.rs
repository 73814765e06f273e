//! One request and its answer, with nothing tried again.

use std::net::Ipv4Addr;
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Method, Response, StatusCode, Url};
use rustls::ClientConfig;

use super::retry;
use crate::aws::Authorization;
use crate::cause::{Cause, is_tls};
use crate::trust::client_config;

const CONNECT: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_secs(30);
const REDIRECTS: usize = 5;
/// Enough of a refusal to find the code in it.
const REFUSAL_LIMIT: usize = 64 * 1024;

/// A request that can be sent several times.
pub(super) struct Request {
    pub(super) method: Method,
    pub(super) registry: String,
    /// What follows the host.
    pub(super) path: String,
    /// The media types that are understood.
    pub(super) accept: Option<&'static str>,
    /// What is sent, with its media type.
    pub(super) body: Option<(String, Vec<u8>)>,
    /// The most bytes that the answer may have.
    pub(super) limit: usize,
}

/// An answer, of whatever status.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// The connection failed, or the answer broke off.
    Connection { source: Cause, tls: bool },
    /// The answer is longer than it may be.
    TooLong,
    /// The answer sends us where we do not go.
    Redirect(Cause),
}

/// Two clients of one kind: what is on this machine is never asked for through a proxy, as with
/// the engine, whose proxies come from Go's
/// [`ProxyFromEnvironment`](https://pkg.go.dev/net/http#ProxyFromEnvironment).
pub(super) struct Transport {
    remote: Client,
    loopback: Client,
}

impl Transport {
    pub(super) fn new() -> Result<Self, Cause> {
        let tls = client_config()?;
        let build = |builder: ClientBuilder| builder.build().map_err(|error| Cause::of(&error));
        Ok(Self {
            remote: build(builder(tls.clone()))?,
            loopback: build(builder(tls).no_proxy())?,
        })
    }

    /// Sends a request, and reads the answer to its end within `time`.
    pub(super) async fn send(
        &self,
        request: &Request,
        authorization: Option<&Authorization>,
        time: Duration,
    ) -> Result<Answer, NoAnswer> {
        let loopback = is_loopback(&request.registry);
        let (client, scheme) = if loopback {
            (&self.loopback, "http")
        } else {
            (&self.remote, "https")
        };
        let url = format!("{scheme}://{}{}", request.registry, request.path);
        let mut builder = client.request(request.method.clone(), url).timeout(time);
        if let Some(value) = authorization.and_then(basic) {
            builder = builder.header(AUTHORIZATION, value);
        }
        if let Some(accept) = request.accept {
            builder = builder.header(ACCEPT, accept);
        }
        if let Some((media_type, body)) = &request.body {
            builder = builder.header(CONTENT_TYPE, media_type).body(body.clone());
        }
        let response = builder.send().await.map_err(no_answer)?;
        read(response, request).await
    }
}

/// Reads an answer, never more of it than allowed: what its length is said to be is not trusted.
async fn read(mut response: Response, request: &Request) -> Result<Answer, NoAnswer> {
    let status = response.status();
    let headers = response.headers().clone();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(no_answer)? {
        body.extend_from_slice(&chunk);
        if status.is_success() && body.len() > request.limit {
            return Err(NoAnswer::TooLong);
        }
        if !status.is_success() && body.len() > REFUSAL_LIMIT {
            body.truncate(REFUSAL_LIMIT);
            break;
        }
    }
    Ok(Answer {
        status,
        headers,
        body,
    })
}

fn no_answer(error: reqwest::Error) -> NoAnswer {
    // The address may be a pre-signed one, which is a secret.
    let error = error.without_url();
    if error.is_redirect() {
        return NoAnswer::Redirect(Cause::of(&error));
    }
    NoAnswer::Connection {
        source: Cause::of(&error),
        tls: is_tls(&error),
    }
}

fn basic(authorization: &Authorization) -> Option<HeaderValue> {
    let text = format!("Basic {}", authorization.encoded.reveal());
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

fn builder(tls: ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls)
        .connect_timeout(CONNECT)
        .read_timeout(IDLE)
        .redirect(Policy::custom(redirect))
        // It would tell the blob store which repository was asked.
        .referer(false)
        .user_agent(concat!("falcon-patch/", env!("CARGO_PKG_VERSION")))
}

/// Follows a registry to its blob store, such as from ECR to S3.
///
/// reqwest takes the `Authorization` header off as soon as host, port or scheme change
/// (`remove_sensitive_headers` in its redirect.rs; a test below holds it to that).
fn redirect(attempt: Attempt<'_>) -> reqwest::redirect::Action {
    if attempt.previous().len() > REDIRECTS {
        return attempt.error(Cause::said("too many redirects"));
    }
    let is_local = |url: &Url| url.host_str().is_some_and(is_loopback_name);
    let from_here = attempt.previous().iter().all(is_local);
    match attempt.url().scheme() {
        "https" => attempt.follow(),
        "http" if from_here && is_local(attempt.url()) => attempt.follow(),
        _ => attempt.error(Cause::said(
            "the redirect leads to a connection without TLS",
        )),
    }
}

/// Whether a registry is on this machine, where plain HTTP reveals nothing; it needs a port, for
/// the default one is HTTPS'.
fn is_loopback(registry: &str) -> bool {
    registry
        .split_once(':')
        .is_some_and(|(host, _)| is_loopback_name(host))
}

fn is_loopback_name(host: &str) -> bool {
    host == "localhost"
        || host
            .parse::<Ipv4Addr>()
            .is_ok_and(|address| address.is_loopback())
}

impl NoAnswer {
    /// Whether another try may get an answer.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            // What a certificate is will not have changed in a few seconds.
            Self::Connection { tls, .. } => !tls,
            Self::TooLong | Self::Redirect(_) => false,
        }
    }
}

impl Answer {
    pub(super) fn is_passing(&self) -> bool {
        retry::is_passing(self.status)
    }
}

#[cfg(test)]
mod tests {
    use super::is_loopback;

    #[test]
    fn only_this_machine_is_spoken_to_without_tls() {
        for (registry, expected) in [
            ("localhost:5000", true),
            ("127.0.0.1:5000", true),
            ("127.1.2.3:5000", true),
            ("localhost", false),
            ("127.0.0.1.evil.example:5000", false),
            ("localhost.evil.example:5000", false),
            ("10.0.0.1:5000", false),
            ("registry.example:5000", false),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", false),
        ] {
            assert_eq!(is_loopback(registry), expected, "{registry}");
        }
    }
}
