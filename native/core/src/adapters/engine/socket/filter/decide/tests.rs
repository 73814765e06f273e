use hyper::{Method, Uri};

use super::{Verdict, decide};
use crate::adapters::engine::registry_auth::RegistryAuth;
use crate::adapters::engine::socket::filter::call::Call;
use crate::adapters::engine::socket::grant::{Grant, GrantedImage};
use crate::report::secret::Secret;

const ECR: &str = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
const TARGET: &str = "falcon-patch.invalid/1:patched";

fn digest() -> String {
    format!("sha256:{}", "1".repeat(64))
}

fn grant(source: &str) -> Grant {
    let auth = RegistryAuth {
        username: Some("AWS".to_owned()),
        password: Secret::new("x"),
        registry: ECR.to_owned(),
    };
    let image = |name: &str| GrantedImage::new(name, Some(auth.clone())).expect("an image");
    Grant {
        source: image(source),
        sensor: image(&format!("{ECR}/sensor@{}", digest())),
        target: GrantedImage::new(TARGET, None).expect("a name"),
    }
}

fn granted() -> Grant {
    grant(&format!("{ECR}/app/web@{}", digest()))
}

/// The decision in words: what the engine gets, or the reason of the refusal.
fn decided(request: &str, grant: &Grant) -> Result<String, String> {
    let (method, address) = request.split_once(' ').expect("a method");
    let method: Method = method.parse().expect("a method");
    let uri: Uri = address.parse().expect(address);
    let call = Call::read(&method, &uri, false).map_err(|refusal| refusal.to_string())?;
    let verdict = decide(call, grant).map_err(|refusal| refusal.to_string())?;
    Ok(match verdict {
        Verdict::Send(remade) => {
            let signed = if remade.auth.is_some() {
                " signed in"
            } else {
                ""
            };
            format!("{} {}{signed}", remade.method, remade.target)
        }
        Verdict::SendForId(id, remade) => {
            format!("{} {} if {}", remade.method, remade.target, &id[..12])
        }
        Verdict::Info(remade) => format!("part of {}", remade.target),
        Verdict::Build(build) => format!("build {}", build.target(grant)),
        Verdict::NotPullable(name) => format!("not found: {name}"),
    })
}

#[test]
fn what_a_patch_needs_is_made_anew() {
    let (grant, digest) = (granted(), digest());
    let encoded = digest.replace(':', "%3A");
    let (hex, pull) = (&digest[7..], "platform=linux%2Farm64 signed in");
    let web = format!("{ECR}/app/web@{digest}");
    let create =
        format!("POST /v1.41/images/create?fromImage={ECR}%2Fapp%2Fweb&tag={encoded}&{pull}");
    for (request, expected) in [
        ("GET /_ping".to_owned(), "GET /_ping".to_owned()),
        ("HEAD /_ping?x=1".to_owned(), "HEAD /_ping".to_owned()),
        (
            "GET /v1.41/version".to_owned(),
            "GET /v1.41/version".to_owned(),
        ),
        (
            "GET /v1.51/info".to_owned(),
            "part of /v1.51/info".to_owned(),
        ),
        // As moby's client sends it, and as an address is encoded.
        (
            format!("GET /v1.41/images/{web}/json"),
            format!("GET /v1.41/images/{web}/json"),
        ),
        (
            format!(
                "GET /images/{}/json",
                web.replace('/', "%2F").replace('@', "%40")
            ),
            format!("GET /images/{web}/json"),
        ),
        (
            format!("GET /images/{web}/json?manifests=1"),
            format!("GET /images/{web}/json?manifests=1"),
        ),
        (
            format!(
                "GET /images/{web}/json?platform=%7B%22os%22:%22linux%22,%22architecture%22:%22arm64%22%7D"
            ),
            format!(
                "GET /images/{web}/json?platform=%7B%22architecture%22%3A%22arm64%22%2C%22os%22%3A%22linux%22%7D"
            ),
        ),
        (
            format!("GET /images/{TARGET}/json"),
            format!("GET /images/{TARGET}/json"),
        ),
        (
            format!("GET /images/{digest}/json"),
            format!("GET /images/{digest}/json if 111111111111"),
        ),
        (
            format!("GET /images/{hex}/json"),
            format!("GET /images/{hex}/json if 111111111111"),
        ),
        (
            format!(
                "POST /v1.41/images/create?fromImage={ECR}%2Fapp%2Fweb&tag={encoded}&platform=linux%2Famd64"
            ),
            create.clone(),
        ),
        (
            format!("POST /v1.41/images/create?fromImage={web}&tag=&fromSrc="),
            create.clone(),
        ),
        (
            format!("POST /v1.41/images/create?fromImage={ECR}/app/web:1@{digest}"),
            create.clone(),
        ),
        (
            format!("POST /v1.41/images/creat%65?fromImage={web}"),
            create,
        ),
        (
            format!("POST /images/{web}/tag?repo=falcon-patch.invalid%2F1&tag=patched"),
            format!("POST /images/{web}/tag?repo=falcon-patch.invalid%2F1&tag=patched"),
        ),
        (
            format!("POST /images/{digest}/tag?repo=falcon-patch.invalid/1&tag=patched&force=0"),
            format!(
                "POST /images/{digest}/tag?repo=falcon-patch.invalid%2F1&tag=patched if 111111111111"
            ),
        ),
    ] {
        assert_eq!(decided(&request, &grant), Ok(expected), "{request}");
    }
}

#[test]
fn an_image_of_the_engine_alone_is_inspected_and_not_pulled() {
    let stub = "falcon-patch.invalid/1:stub";
    let grant = grant(stub);
    for (request, expected) in [
        (
            format!("GET /images/{stub}/json"),
            format!("GET /images/{stub}/json"),
        ),
        (
            format!("POST /images/create?fromImage={stub}"),
            format!("not found: {stub}"),
        ),
        (
            "POST /images/create?fromImage=falcon-patch.invalid/1&tag=stub".to_owned(),
            format!("not found: {stub}"),
        ),
    ] {
        assert_eq!(decided(&request, &grant), Ok(expected), "{request}");
    }
}

/// Requests of which no form is allowed.
const NEVER: &[&str] = &[
    "POST /_ping",
    "POST /version",
    "POST /auth",
    "GET /events",
    "POST /session",
    "POST /grpc",
    "GET /images/json",
    "POST /images/load",
    "GET /images/get",
    "POST /images/prune",
    "GET /images/search",
    "GET /containers/json",
    "POST /containers/create",
    "POST /containers/1/start",
    "POST /containers/1/exec",
    "PUT /containers/1/archive",
    "POST /exec/1/start",
    "POST /commit",
    "POST /volumes/create",
    "POST /networks/create",
    "POST /plugins/pull",
    "POST /swarm/init",
    "GET /secrets",
    "POST /build/prune",
    "POST /build/cancel",
    "GET /build",
    "GET /system/df",
    "GET /distribution/a/json",
    "POST /v1.41/v1.41/build",
    "DELETE /images/falcon-patch.invalid/1:patched",
    "POST /images/falcon-patch.invalid/1:patched/push",
    "GET /images/falcon-patch.invalid/1:patched/get",
    "GET /images/falcon-patch.invalid/1:patched/history",
    "HEAD /images/falcon-patch.invalid/1:patched/json",
    "OPTIONS /images/create",
    "POST /containers/x/json",
];

#[test]
fn requests_that_no_patch_needs_are_refused() {
    for request in NEVER {
        let refusal = decided(request, &granted()).expect_err(request);
        assert!(refusal.contains("needs no such request"), "{refusal}");
    }
}

#[test]
fn images_and_parameters_of_others_are_refused() {
    let (grant, digest) = (granted(), digest());
    let web = format!("{ECR}/app/web");
    let create = format!("POST /images/create?fromImage={web}@{digest}");
    for (request, expected) in [
        (
            format!("POST /images/create?fromImage={web}&tag=1.4"),
            "not an image of this run",
        ),
        (
            format!("POST /images/create?fromImage={web}"),
            "not an image of this run",
        ),
        (
            format!("POST /images/create?fromImage=evil.example/{web}@{digest}"),
            "not an image of this run",
        ),
        (
            format!("POST /images/create?fromImage=app/web@{digest}"),
            "not an image of this run",
        ),
        (
            format!(
                "POST /images/create?fromImage={web}&tag=sha256:{}",
                "2".repeat(64)
            ),
            "not an image of this run",
        ),
        (format!("{create}&fromImage=evil.example/x"), "repeated"),
        (format!("{create}&%66romImage=evil.example/x"), "repeated"),
        (
            format!("{create}&fromSrc=http://evil.example/"),
            "`fromSrc` is not allowed",
        ),
        (format!("{create}&repo=evil"), "`repo` is not allowed"),
        (
            format!("{create}&changes=ENV%20A=1"),
            "`changes` is not allowed",
        ),
        (
            "POST /images/create?fromSrc=-".to_owned(),
            "`fromSrc` is not allowed",
        ),
        ("POST /images/create".to_owned(), "not an image of this run"),
        (
            "GET /images/nginx/json".to_owned(),
            "not an image of this run",
        ),
        (
            format!("GET /images/{web}@{digest}/json?size=1"),
            "`size` is not allowed",
        ),
        (
            format!("GET /images/{web}@{digest}/json?platform=linux/amd64"),
            "`platform`",
        ),
        (
            format!("POST /images/{web}@{digest}/tag?repo=nginx&tag=1"),
            "not an image of this run",
        ),
        (
            format!("POST /images/{web}@{digest}/tag?repo={web}&tag=1"),
            "not an image of this run",
        ),
        (
            format!("POST /images/{web}@{digest}/tag?repo={web}@{digest}"),
            "not an image of this run",
        ),
        (
            "POST /images/nginx/tag?repo=falcon-patch.invalid/1&tag=patched".to_owned(),
            "not an image of this run",
        ),
        (
            format!(
                "POST /images/{web}@{digest}/tag?repo=a&repo=falcon-patch.invalid/1&tag=patched"
            ),
            "repeated",
        ),
    ] {
        match decided(&request, &grant) {
            Err(refusal) => assert!(refusal.contains(expected), "{request}: {refusal}"),
            Ok(sent) => panic!("{request}: {sent}"),
        }
    }
}

mod builds;
