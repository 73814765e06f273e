use serde_json::json;

use super::{CONFIG, INDEX, Setting, by_tag, manifest, manifest_reply, refusal, serve_image, tag};
use crate::adapters::registry::error::RegistryError;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::test_support::loopback_server::Reply;

async fn resolve_problem(reply: impl Fn() -> Reply + Send + Sync + 'static) -> Problem {
    let setting = Setting::of(move |_, _| reply()).await;
    let result = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    Problem::from(result.expect_err("a failure"))
}

#[tokio::test]
async fn a_single_manifest_has_the_platform_of_its_configuration() {
    let setting = Setting::of(|received, _| serve_image(received)).await;
    let image = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    let image = image.expect("an image");
    assert!(!image.is_index);
    assert_eq!(image.digest, manifest().digest());
    let found = image.manifest_for(&Platform::linux_arm64()).expect("arm64");
    assert_eq!(found.digest, image.digest);
    assert_eq!(image.manifest_for(&Platform::linux("amd64")), None);
    let config = Digest::of(CONFIG.as_bytes());
    assert_eq!(
        setting.server.lines(),
        [
            "GET /v2/app/web/manifests/1.4".to_owned(),
            format!("GET /v2/app/web/blobs/{config}")
        ]
    );
}

#[tokio::test]
async fn an_index_needs_one_request() {
    let digest = Digest::of(b"arm64");
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": [
        {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest.as_str(), "size": 5, "platform": {"os": "linux", "architecture": "arm64"}},
    ]});
    let setting =
        Setting::of(move |_, _| Reply::new(200, &[("content-type", INDEX)], index.to_string()))
            .await;
    let image = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    let image = image.expect("an index");
    assert!(image.is_index);
    assert_eq!(image.platforms[0].digest, digest);
    let asked = &setting.server.received()[..];
    assert_eq!(asked.len(), 1);
    let accept = asked[0].header("accept").expect("a header");
    assert!(
        accept.contains(INDEX) && accept.contains("manifest.list.v2+json"),
        "{accept}"
    );
}

#[tokio::test]
async fn an_image_keeps_the_bytes_and_fields_that_nobody_knows() {
    let setting = Setting::of(|received, _| serve_image(received)).await;
    let image = setting
        .registry
        .image(&setting.repository(), &manifest().digest())
        .await;
    let image = image.expect("an image");
    assert_eq!(image.manifest, manifest());
    assert_eq!(image.config_bytes, CONFIG.as_bytes());
    assert_eq!(image.config["future"]["kept"], true);
    assert_eq!(image.layers_size(), 5);
    assert_eq!(image.platform(), Some(Platform::linux_arm64()));
}

#[tokio::test]
async fn bytes_with_another_digest_are_refused() {
    let setting = Setting::of(|_, _| manifest_reply(&manifest().bytes)).await;
    let asked = Digest::of(b"another");
    let result = setting.registry.image(&setting.repository(), &asked).await;
    assert_eq!(
        result.expect_err("a failure").code(),
        Code::RegistryAnswerInvalid
    );

    let problem = resolve_problem(|| {
        let digest = Digest::of(b"another").to_string();
        Reply::new(200, &[("docker-content-digest", &digest)], manifest().bytes)
    })
    .await;
    assert_eq!(problem.code, Code::RegistryAnswerInvalid);
    assert!(
        problem.why[0].contains("it should be sha256:"),
        "{problem:?}"
    );

    let setting = Setting::of(|received, _| {
        if received.line.contains("/blobs/") {
            Reply::new(200, &[], CONFIG.replace("arm64", "amd64"))
        } else {
            manifest_reply(&manifest().bytes)
        }
    })
    .await;
    let result = setting
        .registry
        .resolve(&setting.repository(), &by_tag(), &Platform::linux_arm64())
        .await;
    assert_eq!(
        result.expect_err("a failure").code(),
        Code::RegistryAnswerInvalid
    );
}

#[tokio::test]
async fn answers_that_cannot_be_used_say_why() {
    const MIB: usize = 1024 * 1024;
    let too_long = resolve_problem(|| Reply::new(200, &[], vec![b' '; 4 * MIB + 1])).await;
    assert_eq!(too_long.code, Code::RegistryAnswerInvalid);
    assert!(
        too_long.why[0].contains("more than 4194304 bytes"),
        "{too_long:?}"
    );
    let html = resolve_problem(|| Reply::new(200, &[("content-type", "text/html")], "<p>Hi")).await;
    assert_eq!(html.code, Code::RegistryAnswerInvalid);
    assert!(html.why[0].contains("cannot be read"), "{html:?}");
    // A length that promises less cuts the manifest, and one that promises more never comes.
    let cut = resolve_problem(|| Reply::claiming(20, 200, &[], manifest().bytes)).await;
    assert_eq!(cut.code, Code::RegistryAnswerInvalid);
    let missing = resolve_problem(|| Reply::claiming(MIB, 200, &[], manifest().bytes)).await;
    assert_eq!(missing.code, Code::RegistryNotReachable);
    let huge = resolve_problem(|| Reply::claiming(usize::MAX >> 1, 200, &[], "{")).await;
    assert_eq!(huge.code, Code::RegistryNotReachable);
}

#[tokio::test]
async fn the_answers_of_ecr_become_codes() {
    for (status, code, message, expected) in [
        (
            404,
            "NAME_UNKNOWN",
            "The repository with name 'app/web' does not exist in the registry with id '123456789012'",
            // The server of this test is not under one of ECR's names, where the code says so.
            Code::RegistryImageNotFound,
        ),
        (
            404,
            "MANIFEST_UNKNOWN",
            "Requested image not found",
            Code::RegistryImageNotFound,
        ),
        (
            403,
            "DENIED",
            "User: arn:aws:iam::123456789012:user/ci is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/app/web because no identity-based policy allows the ecr:BatchGetImage action",
            Code::RegistryDenied,
        ),
        (
            401,
            "UNAUTHORIZED",
            "authentication required",
            Code::RegistryDenied,
        ),
        (400, "MANIFEST_INVALID", "no", Code::RegistryRequestFailed),
    ] {
        let problem = resolve_problem(move || refusal(status, code, message)).await;
        assert_eq!(problem.code, expected, "{code}");
        assert!(problem.why[0].contains(code), "{problem:?}");
    }
}

#[tokio::test]
async fn a_denial_shows_what_the_policy_lacks() {
    let problem = resolve_problem(|| refusal(403, "DENIED", "User: u is not authorized to perform: ecr:BatchGetImage on resource: arn:aws:ecr:eu-west-1:123456789012:repository/app/web")).await;
    insta::assert_snapshot!(problem.hint.expect("a hint"), @r#"Add to the IAM policy of these credentials: `{"Effect": "Allow", "Action": ["ecr:BatchGetImage"], "Resource": "arn:aws:ecr:eu-west-1:123456789012:repository/app/web"}`"#);
}

#[tokio::test]
async fn a_tag_is_there_or_not_or_unknown() {
    let setting = Setting::of(|_, _| manifest_reply(&manifest().bytes)).await;
    let found = setting
        .registry
        .digest_of(&setting.repository(), &tag())
        .await;
    assert_eq!(found, Ok(Some(manifest().digest())));
    assert_eq!(setting.server.lines(), ["HEAD /v2/app/web/manifests/1.4"]);

    let setting = Setting::of(|_, _| refusal(404, "MANIFEST_UNKNOWN", "no")).await;
    let found = setting
        .registry
        .digest_of(&setting.repository(), &tag())
        .await;
    assert_eq!(found, Ok(None));

    let setting = Setting::of(|_, _| refusal(404, "NAME_UNKNOWN", "no")).await;
    let found = setting
        .registry
        .digest_of(&setting.repository(), &tag())
        .await;
    assert!(
        matches!(found, Err(RegistryError::RepositoryNotFound { .. })),
        "{found:?}"
    );
}

#[tokio::test]
async fn a_configuration_with_two_keys_for_one_field_is_refused() {
    let config = r#"{"os":"linux","architecture":"arm64","config":{"Entrypoint":["/a"],"entrypoint":["/b"]}}"#;
    let text = String::from_utf8(manifest().bytes).expect("text");
    let digest = Digest::of(config.as_bytes());
    let text = text.replace(Digest::of(CONFIG.as_bytes()).as_str(), digest.as_str());
    let size = |config: &str| format!("\"size\":{}", config.len());
    let text = text.replace(&size(CONFIG), &size(config));
    let setting = Setting::of(move |received, _| {
        if received.line.contains("/blobs/") {
            Reply::new(200, &[], config)
        } else {
            manifest_reply(text.as_bytes())
        }
    })
    .await;
    let arm64 = Platform::linux_arm64();
    let found = setting
        .registry
        .find(&setting.repository(), &by_tag(), &arm64)
        .await;
    let problem = Problem::from(found.expect_err("a failure"));
    assert_eq!(problem.code, Code::RegistryAnswerInvalid);
    assert!(
        problem.why[0].contains("`Entrypoint` and `entrypoint`"),
        "{:?}",
        problem.why
    );
}
