//! Passes requests on to the engine and answers back, both as they come.

use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;

use super::decide::{Verdict, decide};
use super::grant::Grant;
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::wire::Wire;

/// The header that carries the sign-in for a registry.
const AUTH: &str = "X-Registry-Auth";

/// Passes requests on to the engine.
#[derive(Debug)]
pub(super) struct Forwarder {
    pub(super) wire: Wire,
    pub(super) grants: Vec<Grant>,
    pub(super) stop: CancellationToken,
}

/// Response to the client of the socket.
type SocketResponse = Response<BoxBody<Bytes, hyper::Error>>;

impl Forwarder {
    /// Sends a request on and gives the engine's answer, or one that says that there is none.
    pub(super) async fn forward(&self, mut request: Request<Incoming>) -> SocketResponse {
        match decide(request.method(), request.uri(), &self.grants) {
            Verdict::Forward => {}
            Verdict::Pull(uri, auth) => return self.pull(uri, auth).await,
            Verdict::Rewritten(uri) => *request.uri_mut() = uri,
        }
        let client = hyper::upgrade::on(&mut request);
        match self.wire.send(request).await {
            Ok(mut answer) => {
                if answer.status() == StatusCode::SWITCHING_PROTOCOLS {
                    let engine = hyper::upgrade::on(&mut answer);
                    tokio::spawn(join(client, engine, self.stop.clone()));
                }
                answer.map(BodyExt::boxed)
            }
            Err(fault) => refusal(&fault.into_refusal().message),
        }
    }

    async fn pull(&self, uri: Uri, auth: Option<&RegistryAuth>) -> SocketResponse {
        match self.wire.send(pull_request(uri, auth)).await {
            Ok(answer) => answer.map(BodyExt::boxed),
            Err(fault) => refusal(&fault.into_refusal().message),
        }
    }
}

/// A pull of ours. Nothing of the client's request is in it.
fn pull_request(uri: Uri, auth: Option<&RegistryAuth>) -> Request<Full<Bytes>> {
    let mut request = Request::new(Full::default());
    *request.method_mut() = Method::POST;
    *request.uri_mut() = uri;
    let value = auth.and_then(|auth| HeaderValue::try_from(auth.header()).ok());
    if let Some(mut value) = value {
        value.set_sensitive(true);
        request.headers_mut().insert(AUTH, value);
    }
    request
}

/// After both sides agreed to another protocol, bytes are bytes: `BuildKit`'s sessions are HTTP/2, an attached
/// container's streams are the engine's own format.
async fn join(client: OnUpgrade, engine: OnUpgrade, stop: CancellationToken) {
    let both = async {
        let (client, engine) = tokio::try_join!(client, engine)?;
        let (mut client, mut engine) = (TokioIo::new(client), TokioIo::new(engine));
        // When either breaks off, both are closed; there is nobody else to be told.
        let _ = tokio::io::copy_bidirectional(&mut client, &mut engine).await;
        Ok::<_, hyper::Error>(())
    };
    let _ = stop.run_until_cancelled(both).await;
}

/// An error in the engine's own form.
fn refusal(message: &str) -> SocketResponse {
    let body = serde_json::json!({ "message": message }).to_string();
    let body = Full::<Bytes>::from(body).map_err(|never| match never {});
    let mut answer = Response::new(body.boxed());
    *answer.status_mut() = StatusCode::BAD_GATEWAY;
    let json = HeaderValue::from_static("application/json");
    answer.headers_mut().insert(CONTENT_TYPE, json);
    answer
}
