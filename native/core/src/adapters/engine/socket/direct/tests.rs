use super::{Verdict, decide};
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};
use crate::report::secret::Secret;
use hyper::{Method, Uri};

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";

/// `app/web` for the user `AWS`, and `public` for all.
fn grant() -> Grant {
    let auth = RegistryAuth {
        username: Some("AWS".to_owned()),
        password: Secret::new("x"),
        registry: ECR.to_owned(),
    };
    let image = |name: &str, auth| {
        let name = format!("{ECR}/{name}@sha256:{}", "1".repeat(64));
        GrantedImage::new(&name, auth).expect("an image")
    };
    Grant {
        source: image("app/web", Some(auth)),
        sensor: image("public", None),
        target: GrantedImage::new("falcon-patch.invalid/1:patched", None).expect("a name"),
    }
}

#[test]
fn what_happens_to_requests() {
    let (grant, ecr) = (grant(), ECR);
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
        let verdict = match decide(&method, &uri, &grant) {
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
    let (grant, ecr) = (grant(), ECR);
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
        let seen = match decide(&Method::POST, &uri, &grant) {
            Verdict::Pull(uri, Some(_)) => Some(uri.to_string()),
            _ => None,
        };
        let expected = expected.map(|query| format!("/v1.51/images/create?{query}"));
        assert_eq!(seen, expected, "{query}");
    }
}
