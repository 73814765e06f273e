//! Direct access: requests pass as they are, but for pulls, which are signed in, and the platform of builds.

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::header::HeaderValue;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use tokio_util::sync::CancellationToken;
use url::form_urlencoded;

use super::answer::{SocketAnswer, error};
use super::grant::Grant;
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::wire::Wire;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;

/// Passes requests on to the engine.
#[derive(Debug)]
pub(super) struct Direct {
    wire: Wire,
    grant: Grant,
    stop: CancellationToken,
}

impl Direct {
    pub(super) fn new(wire: Wire, grant: Grant, stop: CancellationToken) -> Self {
        Self { wire, grant, stop }
    }

    /// Sends a request on and returns the engine's answer, or an error if there is none.
    pub(super) async fn answer(&self, mut request: Request<Incoming>) -> SocketAnswer {
        match decide(request.method(), request.uri(), &self.grant) {
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
            Err(fault) => error(StatusCode::BAD_GATEWAY, &fault.into_refusal().message),
        }
    }

    async fn pull(&self, uri: Uri, auth: Option<&RegistryAuth>) -> SocketAnswer {
        match self.wire.send(pull_request(uri, auth)).await {
            Ok(answer) => answer.map(BodyExt::boxed),
            Err(fault) => error(StatusCode::BAD_GATEWAY, &fault.into_refusal().message),
        }
    }
}

/// Decision on a request.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// It goes to the engine as it is.
    Forward,
    /// A pull of ours goes to the engine in its place, with this path and query, this sign-in and no body.
    Pull(Uri, Option<&'a RegistryAuth>),
    /// It goes to the engine with this path and query.
    Rewritten(Uri),
}

/// Decides what happens to a request. Everything is passed on; a pull of a granted repository is made anew and signed
/// in, and a build that names no platform is one for linux/arm64.
pub(super) fn decide<'a>(method: &Method, uri: &Uri, grant: &'a Grant) -> Verdict<'a> {
    let rewritten = match (method, route(uri.path())) {
        (&Method::POST, "/images/create") => pull(uri, grant),
        (&Method::POST, "/build") => for_arm64(uri).map(Verdict::Rewritten),
        _ => None,
    };
    rewritten.unwrap_or(Verdict::Forward)
}

/// A pull of a granted repository, made anew: an engine lets a form in the body override the query, so nothing of the
/// request but the image and the platform may accompany a sign-in.
fn pull<'a>(uri: &Uri, grant: &'a Grant) -> Option<Verdict<'a>> {
    let query = uri.query()?.as_bytes();
    let value = |wanted: &str| -> Option<String> {
        let mut values = form_urlencoded::parse(query).filter(|(name, _)| name == wanted);
        let value = values.next().map(|(_, value)| value.into_owned());
        // A parameter that is repeated has no one meaning.
        values.next().is_none().then(|| value.unwrap_or_default())
    };
    let image: ImageName = value("fromImage")?.parse().ok()?;
    // Clients before 28 omit Docker Hub's name.
    let registry = image.registry.as_deref().unwrap_or("docker.io");
    let repository = Repository::new(registry, &image.repository);
    let mut granted = [&grant.source, &grant.sensor].into_iter();
    let granted = granted.find(|image| *image.repository() == repository)?;
    let tag = match (&image.digest, &image.tag, value("tag")?) {
        (Some(digest), _, _) => digest.to_string(),
        (None, _, tag) if !tag.is_empty() => tag,
        (None, Some(tag), _) => tag.to_string(),
        (None, None, _) => String::new(),
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("fromImage", &repository.to_string())
        .append_pair("tag", &tag)
        .append_pair("platform", &value("platform")?)
        .finish();
    let version = uri.path().strip_suffix("/images/create")?;
    let uri = format!("{version}/images/create?{query}").parse().ok()?;
    Some(Verdict::Pull(uri, granted.auth()))
}

/// The address of a build with the platform that an old falconutil leaves out: without it the classic store passes over
/// the local ARM64 images and tries to pull them.
fn for_arm64(uri: &Uri) -> Option<Uri> {
    let query = uri.query().unwrap_or_default();
    let mut names = form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty());
    if names.any(|(name, _)| name == "platform") {
        return None;
    }
    let separator = if query.is_empty() { "" } else { "&" };
    format!("{}?{query}{separator}platform=linux%2Farm64", uri.path())
        .parse()
        .ok()
}

/// The path without the API's version, with which clients begin it: `/v1.51/images/create`.
fn route(path: &str) -> &str {
    let Some(rest) = path.strip_prefix("/v") else {
        return path;
    };
    let Some((version, _)) = rest.split_once('/') else {
        return path;
    };
    let is_version =
        !version.is_empty() && version.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if is_version {
        &rest[version.len()..]
    } else {
        path
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
        request.headers_mut().insert("X-Registry-Auth", value);
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

#[cfg(test)]
mod tests;
