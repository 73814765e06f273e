//! The decision on a request. Nothing is allowed but what is listed here.

use hyper::Method;
use serde_json::Value;
use url::form_urlencoded;

use super::build::Build;
use super::call::{Call, versioned};
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};
use crate::adapters::engine::socket::refusals::{Refusal, shortened};

/// A request to the engine that holds nothing but what the run grants.
#[derive(Debug)]
pub(super) struct Remade<'a> {
    /// Its method.
    pub(super) method: Method,
    /// Its path and query.
    pub(super) target: String,
    /// The login that it carries.
    pub(super) auth: Option<&'a RegistryAuth>,
}

/// Decision on a request.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// This goes to the engine instead.
    Send(Remade<'a>),
    /// This goes to the engine instead, if an image of the run has this ID.
    SendForId(String, Remade<'a>),
    /// This goes to the engine instead, and only a part of the answer comes back.
    Info(Remade<'a>),
    /// A build goes to the engine, if its context is allowed too.
    Build(Build),
    /// The image is one of the run's, and no registry has it.
    NotPullable(String),
}

/// Decides on a request.
pub(super) fn decide(call: Call, grant: &Grant) -> Result<Verdict<'_>, Refusal> {
    let request = format!("{} {}", call.method, call.path);
    route(call, grant).map_err(|reason| Refusal::new(request, reason))
}

fn route(call: Call, grant: &Grant) -> Result<Verdict<'_>, String> {
    let path = call.path.clone();
    match (call.method.as_str(), path.as_str()) {
        ("GET" | "HEAD", "/_ping") | ("GET", "/version") => Ok(Verdict::Send(bare(&call, &path))),
        ("GET", "/info") => Ok(Verdict::Info(bare(&call, &path))),
        ("POST", "/images/create") => pull(call, grant),
        ("POST", "/build") => Ok(Verdict::Build(Build::read(call, grant)?)),
        (method, path) => {
            let image = path.strip_prefix("/images/");
            match (method, image.and_then(|image| image.rsplit_once('/'))) {
                ("GET", Some((name, "json"))) => inspect(call, name, grant),
                ("POST", Some((name, "tag"))) => tag(call, name, grant),
                _ => Err("a patch needs no such request".to_owned()),
            }
        }
    }
}

/// A request with a path alone.
fn bare<'a>(call: &Call, path: &str) -> Remade<'a> {
    Remade {
        method: call.method.clone(),
        target: call.versioned(path),
        auth: None,
    }
}

/// A pull of a granted image: by its digest, with our query and login.
fn pull(call: Call, grant: &Grant) -> Result<Verdict<'_>, String> {
    let Call {
        version,
        mut parameters,
        ..
    } = call;
    let name = parameters.take("fromImage")?.unwrap_or_default();
    // Clients send the tag or the digest apart, or as a part of the image.
    let name = match parameters.take("tag")? {
        Some(digest) if digest.contains(':') => format!("{name}@{digest}"),
        Some(tag) => format!("{name}:{tag}"),
        None => name,
    };
    parameters.take("platform")?;
    parameters.finish()?;
    let image = granted(grant, &name)?;
    let Some(digest) = image.digest() else {
        return Ok(Verdict::NotPullable(image.reference()));
    };
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("fromImage", &image.repository().to_string())
        .append_pair("tag", digest)
        .append_pair("platform", "linux/arm64")
        .finish();
    Ok(Verdict::Send(Remade {
        method: Method::POST,
        target: versioned(version, &format!("/images/create?{query}")),
        auth: image.auth(),
    }))
}

/// An inspection of a granted image, by its name or its ID.
fn inspect<'a>(call: Call, name: &str, grant: &'a Grant) -> Result<Verdict<'a>, String> {
    let Call {
        method,
        version,
        mut parameters,
        ..
    } = call;
    let of_arm64 = match parameters.take("platform")? {
        None => "",
        Some(json) if names_arm64(&json) => {
            "?platform=%7B%22architecture%22%3A%22arm64%22%2C%22os%22%3A%22linux%22%7D"
        }
        Some(_) => return Err("the parameter `platform` is not `linux/arm64`".to_owned()),
    };
    let manifests = match (parameters.take_switch("manifests")?, of_arm64) {
        (false, _) => "",
        (true, "") => "?manifests=1",
        (true, _) => return Err("an image has no manifests of one platform".to_owned()),
    };
    parameters.finish()?;
    let remade = |name: &str| Remade {
        method,
        target: versioned(
            version,
            &format!("/images/{name}/json{of_arm64}{manifests}"),
        ),
        auth: None,
    };
    if let Some(id) = id(name) {
        return Ok(Verdict::SendForId(id.to_owned(), remade(name)));
    }
    let image = granted(grant, name)?;
    Ok(Verdict::Send(remade(&image.reference())))
}

/// A tag of a granted image with the target's name.
fn tag<'a>(call: Call, name: &str, grant: &'a Grant) -> Result<Verdict<'a>, String> {
    let Call {
        method,
        version,
        mut parameters,
        ..
    } = call;
    let repository = parameters.take("repo")?.unwrap_or_default();
    let tag = parameters.take("tag")?.unwrap_or_default();
    parameters.take_switch("force")?;
    parameters.finish()?;
    let target = granted(grant, &format!("{repository}:{tag}"))?;
    if !target.is_same(&grant.target) {
        return Err("the name is not the one of the patched image".to_owned());
    }
    let query = form_urlencoded::Serializer::new(String::new())
        .append_pair("repo", &target.repository().to_string())
        .append_pair("tag", target.tag().unwrap_or_default())
        .finish();
    let remade = |name: &str| Remade {
        method,
        target: versioned(version, &format!("/images/{name}/tag?{query}")),
        auth: None,
    };
    if let Some(id) = id(name) {
        return Ok(Verdict::SendForId(id.to_owned(), remade(name)));
    }
    let image = granted(grant, name)?;
    Ok(Verdict::Send(remade(&image.reference())))
}

fn granted<'a>(grant: &'a Grant, name: &str) -> Result<&'a GrantedImage, String> {
    let image = grant.image(name);
    image.ok_or_else(|| format!("`{}` is not an image of this run", shortened(name)))
}

/// The hex digits of an image's ID, whole or shortened; none for a name.
fn id(name: &str) -> Option<&str> {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    ((12..=64).contains(&hex.len()) && hex.bytes().all(is_hex)).then_some(hex)
}

fn names_arm64(json: &str) -> bool {
    let platform: Result<Value, _> = serde_json::from_str(json);
    platform.is_ok_and(|platform| {
        platform["os"] == "linux"
            && platform["architecture"] == "arm64"
            && matches!(platform["variant"].as_str(), None | Some("" | "v8"))
    })
}

#[cfg(test)]
mod tests;
