//! HTTP for registries and CrowdStrike's API: one TLS stack, and plain HTTP on this machine only.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, ClientBuilder, Method, RequestBuilder, Response, StatusCode, Url};
use rustls::ClientConfig;

use super::connection::is_tls;
use super::retry;
use super::trust::client_config;
use crate::domain::address::is_loopback_name;
use crate::report::cause::Cause;

const CONNECT: Duration = Duration::from_secs(10);

const IDLE: Duration = Duration::from_secs(30);

const REDIRECTS: usize = 5;

/// Enough of a refusal to find the code in it.
const REFUSAL_LIMIT: usize = 64 * 1024;

/// A kind of request that an adapter sends. An enum has all of an adapter's, so that the table of faults can list them.
pub(crate) trait RequestKind: Copy {
    fn method(self) -> Method;

    /// Returns true if the request follows an answer to another address, such as that of a blob store.
    fn follows_redirects(self) -> bool;
}

/// The clients of a run.
pub struct Http {
    /// For reading: follows a registry to its blob store, and gives up when nothing comes any more.
    following: Pair,
    /// For what must not go on to another address: sign-ins and uploads. Its requests bring their
    /// own time limits, because while a long body is sent nothing comes back.
    direct: Pair,
}

/// Two clients of one kind: what is on this machine is never asked for through a proxy, as with
/// the engine, whose proxies come from Go's
/// [`ProxyFromEnvironment`](https://pkg.go.dev/net/http#ProxyFromEnvironment).
struct Pair {
    remote: Client,
    loopback: Client,
}

impl Http {
    pub(crate) fn new() -> Result<Self, Cause> {
        let tls = client_config()?;
        Ok(Self {
            following: Pair::new(&|| {
                builder(&tls)
                    .read_timeout(IDLE)
                    .redirect(Policy::custom(redirect))
            })?,
            direct: Pair::new(&|| builder(&tls).redirect(Policy::none()))?,
        })
    }

    /// Begins a request.
    pub(crate) fn request(&self, kind: impl RequestKind, url: Url) -> RequestBuilder {
        let pair = if kind.follows_redirects() {
            &self.following
        } else {
            &self.direct
        };
        pair.client(&url).request(kind.method(), url)
    }
}

impl Pair {
    fn new(builder: &dyn Fn() -> ClientBuilder) -> Result<Self, Cause> {
        let build = |builder: ClientBuilder| builder.build().map_err(|error| Cause::of(&error));
        Ok(Self {
            remote: build(builder())?,
            loopback: build(builder().no_proxy())?,
        })
    }

    fn client(&self, url: &Url) -> &Client {
        if url.host_str().is_some_and(is_loopback_name) {
            &self.loopback
        } else {
            &self.remote
        }
    }
}

fn builder(tls: &ClientConfig) -> ClientBuilder {
    Client::builder()
        .tls_backend_preconfigured(tls.clone())
        .connect_timeout(CONNECT)
        // It would tell the blob store which repository was asked.
        .referer(false)
        .user_agent(concat!("falcon-patch/", env!("CARGO_PKG_VERSION")))
}

/// Follows a registry to its blob store, such as from ECR to S3.
///
/// reqwest takes the `Authorization` header off as soon as host, port or scheme change
/// (`remove_sensitive_headers` in its redirect.rs; a test of the registry client holds it to that).
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

/// An answer, of whatever status.
#[derive(Debug)]
pub struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl Answer {
    /// Reads an answer, never more of it than allowed: what its length is said to be is not trusted.
    pub(crate) async fn read(mut response: Response, limit: usize) -> Result<Self, NoAnswer> {
        let status = response.status();
        let headers = response.headers().clone();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(NoAnswer::from)? {
            body.extend_from_slice(&chunk);
            if status.is_success() && body.len() > limit {
                return Err(NoAnswer::TooLong { limit });
            }
            if !status.is_success() && body.len() > REFUSAL_LIMIT {
                body.truncate(REFUSAL_LIMIT);
                break;
            }
        }
        Ok(Self {
            status,
            headers,
            body,
        })
    }

    /// Returns true if another try of the same request may end differently.
    pub(crate) fn is_passing(&self) -> bool {
        retry::is_passing(self.status)
    }

    /// A header as text.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// Failure to get an answer.
#[derive(Debug)]
pub enum NoAnswer {
    /// The connection failed, or the answer broke off.
    Connection { source: Cause, tls: bool },
    /// The answer has more bytes than it may have.
    TooLong { limit: usize },
    /// The answer sends us where we do not go.
    Redirect(Cause),
}

impl NoAnswer {
    /// Returns true if another try may get an answer.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            // What a certificate is will not have changed in a few seconds.
            Self::Connection { tls, .. } => !tls,
            Self::TooLong { .. } | Self::Redirect(_) => false,
        }
    }
}

impl From<reqwest::Error> for NoAnswer {
    fn from(error: reqwest::Error) -> Self {
        // The address may be a pre-signed one, which is a secret.
        let error = error.without_url();
        if error.is_redirect() {
            return Self::Redirect(Cause::of(&error));
        }
        Self::Connection {
            source: Cause::of(&error),
            tls: is_tls(&error),
        }
    }
}
