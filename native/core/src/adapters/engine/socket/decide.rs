//! Decision on a request of the sensor's container.

use hyper::{Method, Uri};
use url::form_urlencoded;

use super::grant::Grant;
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::domain::reference::image_name::ImageName;
use crate::domain::reference::repository::Repository;

/// Decision on a request.
#[derive(Debug)]
pub(super) enum Verdict<'a> {
    /// It goes to the engine as it is.
    Forward,
    /// It goes to the engine with this sign-in, or with none, instead of what it carries.
    SignedIn(Option<&'a RegistryAuth>),
    /// It goes to the engine with this path and query.
    Rewritten(Uri),
}

/// Decides what happens to a request. Everything is passed on; a pull of a granted repository is signed in, and a
/// build that names no platform is one for linux/arm64.
pub(super) fn decide<'a>(method: &Method, uri: &Uri, grants: &'a [Grant]) -> Verdict<'a> {
    match (method, route(uri.path())) {
        (&Method::POST, "/images/create") => {}
        (&Method::POST, "/build") => {
            return for_arm64(uri).map_or(Verdict::Forward, Verdict::Rewritten);
        }
        _ => return Verdict::Forward,
    }
    let Some(pulled) = from_image(uri) else {
        return Verdict::Forward;
    };
    let grant = grants.iter().find(|grant| grant.repository == pulled);
    grant.map_or(Verdict::Forward, |grant| {
        Verdict::SignedIn(grant.auth.as_ref())
    })
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

/// The repository that is pulled; its tag or digest may be in `fromImage` or in `tag`.
fn from_image(uri: &Uri) -> Option<Repository> {
    let query = uri.query()?.as_bytes();
    let mut images = form_urlencoded::parse(query).filter(|(name, _)| name == "fromImage");
    let image: ImageName = images.next()?.1.parse().ok()?;
    // Clients before 28 leave Docker Hub's name out.
    let registry = image.registry.as_deref().unwrap_or("docker.io");
    Some(Repository::new(registry, &image.repository))
}

#[cfg(test)]
mod tests {
    use super::{Verdict, decide};
    use crate::adapters::engine::registry_auth::RegistryAuth;
    use crate::adapters::engine::socket::grant::Grant;
    use crate::domain::reference::repository::Repository;
    use crate::report::secret::Secret;
    use hyper::{Method, Uri};

    fn grant(name: &str, user: Option<&str>) -> Grant {
        let registry = "123456789012.dkr.ecr.eu-west-1.amazonaws.com".to_owned();
        let auth = user.map(|user| RegistryAuth {
            username: Some(user.to_owned()),
            password: Secret::new("x"),
            registry: registry.clone(),
        });
        let name = name.to_owned();
        Grant {
            repository: Repository { registry, name },
            auth,
        }
    }

    #[test]
    fn what_happens_to_requests() {
        let grants = [grant("app/web", Some("AWS")), grant("public", None)];
        let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let digest = format!("sha256%3A{}", "1".repeat(64));
        for (method, uri, expected) in [
            (
                Method::POST,
                format!("/v1.51/images/create?fromImage={ecr}/app/web&tag=1.4"),
                "AWS",
            ),
            (
                Method::POST,
                format!("/images/create?fromImage={ecr}%2Fapp%2Fweb&tag={digest}"),
                "AWS",
            ),
            (
                Method::POST,
                format!("/v1.44/images/create?platform=x&fromImage={ecr}%2Fapp%2Fweb%40{digest}"),
                "AWS",
            ),
            (
                Method::POST,
                format!("/images/create?fromImage={ecr}/app/web%3A1.4"),
                "AWS",
            ),
            (
                Method::POST,
                format!("/images/create?fromImage={ecr}/public"),
                "nobody",
            ),
            (
                Method::POST,
                format!("/images/create?fromImage={ecr}/app/web2&tag=1.4"),
                "as it is",
            ),
            (
                Method::POST,
                format!("/images/create?fromImage=evil.example/{ecr}/app/web"),
                "as it is",
            ),
            (
                Method::POST,
                "/images/create?fromImage=app/web".to_owned(),
                "as it is",
            ),
            (
                Method::POST,
                "/images/create?fromSrc=-".to_owned(),
                "as it is",
            ),
            (Method::POST, "/images/create".to_owned(), "as it is"),
            (
                Method::GET,
                format!("/images/create?fromImage={ecr}/app/web"),
                "as it is",
            ),
            (
                Method::POST,
                format!("/volumes/images/create?fromImage={ecr}/app/web"),
                "as it is",
            ),
            (
                Method::POST,
                format!("/v1.51/images/{ecr}/app/web/push?tag=1.4"),
                "as it is",
            ),
            (
                Method::POST,
                "/v1.51/build?version=2".to_owned(),
                "/v1.51/build?version=2&platform=linux%2Farm64",
            ),
            (
                Method::POST,
                "/build".to_owned(),
                "/build?platform=linux%2Farm64",
            ),
            (
                Method::POST,
                "/build?version=2&platform=linux%2Famd64".to_owned(),
                "as it is",
            ),
            (Method::POST, "/build/prune".to_owned(), "as it is"),
            (Method::POST, "/session".to_owned(), "as it is"),
        ] {
            let uri: Uri = uri.parse().expect("a path");
            let verdict = match decide(&method, &uri, &grants) {
                Verdict::Forward => "as it is".to_owned(),
                Verdict::SignedIn(None) => "nobody".to_owned(),
                Verdict::SignedIn(Some(auth)) => auth.username.clone().expect("a user"),
                Verdict::Rewritten(uri) => uri.to_string(),
            };
            assert_eq!(verdict, expected, "{method} {uri}");
        }
    }
}
