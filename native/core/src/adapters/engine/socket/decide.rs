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
    /// A pull of ours goes to the engine in its place, with this path and query, this sign-in and no body.
    Pull(Uri, Option<&'a RegistryAuth>),
    /// It goes to the engine with this path and query.
    Rewritten(Uri),
}

/// Decides what happens to a request. Everything is passed on; a pull of a granted repository is made anew and signed
/// in, and a build that names no platform is one for linux/arm64.
pub(super) fn decide<'a>(method: &Method, uri: &Uri, grants: &'a [Grant]) -> Verdict<'a> {
    let rewritten = match (method, route(uri.path())) {
        (&Method::POST, "/images/create") => pull(uri, grants),
        (&Method::POST, "/build") => for_arm64(uri).map(Verdict::Rewritten),
        _ => None,
    };
    rewritten.unwrap_or(Verdict::Forward)
}

/// A pull of a granted repository, made anew: an engine lets a form in the body override the query, so nothing of the
/// request but the image and the platform may accompany a sign-in.
fn pull<'a>(uri: &Uri, grants: &'a [Grant]) -> Option<Verdict<'a>> {
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
    let grant = grants.iter().find(|grant| grant.repository == repository)?;
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
    Some(Verdict::Pull(uri, grant.auth.as_ref()))
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
                Verdict::Pull(_, None) => "nobody".to_owned(),
                Verdict::Pull(_, Some(auth)) => auth.username.clone().expect("a user"),
                Verdict::Rewritten(uri) => uri.to_string(),
            };
            assert_eq!(verdict, expected, "{method} {uri}");
        }
    }

    #[test]
    fn a_pull_is_made_anew_from_image_and_platform() {
        let grants = [grant("app/web", Some("AWS"))];
        let ecr = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
        let image = format!("{ecr}%2Fapp%2Fweb");
        let digest = format!("sha256%3A{}", "1".repeat(64));
        for (query, expected) in [
            (
                format!("fromImage={image}&tag=1"),
                Some(format!("fromImage={image}&tag=1&platform=")),
            ),
            (
                format!("fromImage={image}:1&platform=linux/arm64"),
                Some(format!("fromImage={image}&tag=1&platform=linux%2Farm64")),
            ),
            (
                format!("fromImage={image}@{digest}&tag=&fromSrc=-&repo=x&changes=ENV"),
                Some(format!("fromImage={image}&tag={digest}&platform=")),
            ),
            (
                format!("fromImage={image}&tag=1%26fromImage%3Devil.example%2Fx"),
                Some(format!(
                    "fromImage={image}&tag=1%26fromImage%3Devil.example%2Fx&platform="
                )),
            ),
            (format!("fromImage={image}&fromImage=evil.example/x"), None),
            (format!("fromImage=evil.example/x&fromImage={image}"), None),
            (format!("fromImage={image}&tag=1&tag=2"), None),
            (
                format!("fromImage={image}&%66romImage=evil.example/x"),
                None,
            ),
            (format!("fromImage={image}&platform=a&platform=b"), None),
        ] {
            let uri: Uri = format!("/v1.51/images/create?{query}")
                .parse()
                .expect("a path");
            let seen = match decide(&Method::POST, &uri, &grants) {
                Verdict::Pull(uri, Some(_)) => Some(uri.to_string()),
                _ => None,
            };
            let expected = expected.map(|query| format!("/v1.51/images/create?{query}"));
            assert_eq!(seen, expected, "{query}");
        }
    }
}
