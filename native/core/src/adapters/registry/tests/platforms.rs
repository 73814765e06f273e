//! Platforms that an index leaves to the configurations, and images that a pull-through cache fetches by their tag.

use serde_json::{Value, json};

use super::{INDEX, Setting, by_tag, manifest_reply, refusal, tag};
use crate::adapters::registry::error::RegistryError;
use crate::domain::image::manifest::{ManifestReference, OCI_MANIFEST, ResolvedImage};
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::test_support::loopback_server::{Received, Reply};

/// An image of one platform: its configuration and its manifest.
struct Image {
    config: String,
    manifest: String,
}

impl Image {
    fn of(architecture: &str, config_type: &str) -> Self {
        let config = json!({"os": "Linux", "architecture": architecture}).to_string();
        let manifest = json!({
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": {"mediaType": config_type, "digest": Digest::of(config.as_bytes()).as_str(), "size": config.len()},
            "layers": null,
        });
        Self {
            config,
            manifest: manifest.to_string(),
        }
    }

    fn entry(&self, platform: Option<Value>) -> Value {
        let mut entry = json!({
            "mediaType": OCI_MANIFEST,
            "digest": Digest::of(self.manifest.as_bytes()).as_str(),
            "size": self.manifest.len(),
        });
        if let Some(platform) = platform {
            entry["platform"] = platform;
        }
        entry
    }

    fn serve(&self, received: &Received) -> Option<Reply> {
        let names = |text: &str| {
            received
                .line
                .ends_with(Digest::of(text.as_bytes()).as_str())
        };
        if names(&self.manifest) {
            let headers = [("content-type", OCI_MANIFEST)];
            return Some(Reply::new(200, &headers, &self.manifest));
        }
        names(&self.config).then(|| Reply::new(200, &[], &self.config))
    }
}

const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";

/// Finds an image in a registry that has these images behind an index with these entries.
async fn find(
    images: Vec<Image>,
    entries: Vec<Value>,
) -> (Result<ResolvedImage, RegistryError>, Vec<String>) {
    let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).to_string();
    let setting = Setting::of(move |received, _| {
        if received.line.ends_with("/1.4") {
            return Reply::new(200, &[("content-type", INDEX)], &index);
        }
        let mut served = images.iter().filter_map(|image| image.serve(received));
        served
            .next()
            .unwrap_or_else(|| refusal(404, "MANIFEST_UNKNOWN", "no"))
    })
    .await;
    let arm64 = Platform::linux_arm64();
    let repository = setting.repository();
    let registry = &setting.registry;
    let resolved = registry.resolve(&repository, &by_tag(), &arm64).await;
    let lines = setting.server.lines();
    let found = registry.find(&repository, &by_tag(), &arm64).await;
    match (&resolved, &found) {
        (Ok(resolved), Ok((found, image))) => {
            assert_eq!(resolved, found);
            assert_eq!(image.is_some(), resolved.manifest_for(&arm64).is_some());
        }
        (Err(resolved), Err(found)) => assert_eq!(resolved, found),
        other => panic!("{other:?}"),
    }
    (resolved, lines)
}

#[tokio::test]
async fn where_the_index_does_not_say_the_configuration_does() {
    for (platform, config_type) in [
        (None, CONFIG_TYPE),
        (Some(json!({})), CONFIG_TYPE),
        (Some(Value::Null), "application/octet-stream"),
        (Some(json!({"os": "linux"})), CONFIG_TYPE),
    ] {
        let images = vec![
            Image::of("amd64", CONFIG_TYPE),
            Image::of("ARM64", config_type),
        ];
        let entries = images
            .iter()
            .map(|image| image.entry(platform.clone()))
            .collect();
        let expected = Digest::of(images[1].manifest.as_bytes());
        let (found, lines) = find(images, entries).await;
        let found = found.expect("an image");
        let arm64 = found.manifest_for(&Platform::linux_arm64());
        assert_eq!(arm64.expect("arm64").digest, expected);
        assert_eq!(found.platforms.len(), 2);
        assert_eq!(lines.len(), 5);
    }
}

#[tokio::test]
async fn a_single_image_with_an_old_type_of_configuration_has_a_platform() {
    let image = Image::of("arm64", "application/octet-stream");
    let setting = Setting::of(move |received, _| {
        let by_digest = image.serve(received);
        by_digest.unwrap_or_else(|| Reply::new(200, &[], &image.manifest))
    })
    .await;
    let arm64 = Platform::linux_arm64();
    let found = setting
        .registry
        .find(&setting.repository(), &by_tag(), &arm64)
        .await;
    assert!(found.expect("an answer").1.is_some());
}

#[tokio::test]
async fn entries_that_are_not_ours_are_skipped() {
    let sha512 = format!("sha512:{}", "a".repeat(128));
    let arm64 = json!({"os": "linux", "architecture": "arm64"});
    for other in [
        json!({"mediaType": OCI_MANIFEST, "digest": sha512, "size": 1, "platform": {"os": "linux", "architecture": "amd64"}}),
        json!({"mediaType": OCI_MANIFEST, "digest": sha512, "size": 1}),
        // This one is not in the registry.
        Image::of("s390x", CONFIG_TYPE).entry(None),
        Image::of("s390x", "application/vnd.cncf.helm.config.v1+json").entry(None),
    ] {
        let image = Image::of("arm64", CONFIG_TYPE);
        let entries = vec![other.clone(), image.entry(Some(arm64.clone()))];
        let (found, _) = find(vec![image], entries).await;
        let found = found.expect("an image");
        assert_eq!(found.platforms.len(), 1, "{other}");
    }
}

#[tokio::test]
async fn an_entry_that_may_be_ours_and_cannot_be_read_is_a_failure() {
    let sha512 = format!("sha512:{}", "a".repeat(128));
    let amd64 = Image::of("amd64", CONFIG_TYPE);
    let missing = Image::of("arm64", CONFIG_TYPE).entry(None);
    for (other, code) in [
        (missing, Code::RegistryImageNotFound),
        (
            json!({"mediaType": OCI_MANIFEST, "digest": sha512, "size": 1, "platform": {"os": "linux", "architecture": "arm64"}}),
            Code::RegistryAnswerInvalid,
        ),
        (
            json!({"mediaType": OCI_MANIFEST, "digest": "x", "size": 1}),
            Code::RegistryAnswerInvalid,
        ),
    ] {
        let known = amd64.entry(Some(json!({"os": "linux", "architecture": "amd64"})));
        let (found, _) = find(Vec::new(), vec![known, other.clone()]).await;
        assert_eq!(found.expect_err("a failure").code(), code, "{other}");
    }
}

#[tokio::test]
async fn only_so_many_configurations_are_read() {
    let image = || Image::of("arm64", CONFIG_TYPE);
    let (found, _) = find(vec![image()], vec![image().entry(None); 20]).await;
    assert!(found.is_ok(), "{found:?}");
    let (found, lines) = find(vec![image()], vec![image().entry(None); 21]).await;
    let problem = Problem::from(found.expect_err("a failure"));
    assert!(problem.why[0].contains("more than 20"), "{problem:?}");
    assert_eq!(lines.len(), 1);
    let mut entries = vec![image().entry(None); 21];
    entries.push(image().entry(Some(json!({"os": "linux", "architecture": "arm64"}))));
    let (found, _) = find(vec![image()], entries).await;
    assert_eq!(found.expect("an image").platforms.len(), 1);
}

/// A cache that knows an image only once it was requested by its tag.
async fn cached(missing: &'static str, named: Option<&'static [u8]>) -> (Setting, Digest) {
    let image = Image::of("arm64", CONFIG_TYPE);
    let digest = Digest::of(image.manifest.as_bytes());
    let setting = Setting::of(move |received, _| {
        if received.line.contains("/blobs/") {
            return image.serve(received).expect("the configuration");
        }
        match named {
            _ if !received.line.ends_with("/1.4") => refusal(404, missing, "no"),
            Some([]) => Reply::new(200, &[], &image.manifest),
            Some(other) => manifest_reply(other),
            None => refusal(404, missing, "no"),
        }
    })
    .await;
    (setting, digest)
}

#[tokio::test]
async fn what_is_not_known_by_its_digest_is_requested_by_its_tag() {
    let arm64 = Platform::linux_arm64();
    for missing in ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"] {
        let (setting, digest) = cached(missing, Some(b"")).await;
        let pinned = ManifestReference::Pinned(tag(), digest.clone());
        let repository = setting.repository();
        let found = setting.registry.find(&repository, &pinned, &arm64).await;
        let (found, image) = found.expect("an answer");
        assert_eq!(found.digest, digest);
        assert!(image.is_some());
        let lines = setting.server.lines();
        assert!(lines[0].ends_with(digest.as_str()), "{lines:?}");
        assert!(lines[1].ends_with("/manifests/1.4"), "{lines:?}");
        let fetched = setting
            .registry
            .fetch_into_cache(&repository, &tag(), &digest)
            .await;
        assert_eq!(fetched, Ok(()));
    }
}

#[tokio::test]
async fn a_tag_that_names_another_image_or_none_does_not_stand_in() {
    let arm64 = Platform::linux_arm64();
    let other: &[u8] = br#"{"schemaVersion":2,"config":{},"layers":[]}"#;
    for (named, words) in [(Some(other), "the tag `1.4` names sha256:"), (None, "404")] {
        let (setting, digest) = cached("MANIFEST_UNKNOWN", named).await;
        let pinned = ManifestReference::Pinned(tag(), digest.clone());
        let repository = setting.repository();
        let found = setting.registry.find(&repository, &pinned, &arm64).await;
        let problem = Problem::from(found.expect_err("a failure"));
        assert_eq!(problem.code, Code::RegistryImageNotFound);
        let name = format!("{}@{digest}", repository.tagged(&tag()));
        assert!(problem.what.contains(&name), "{problem:?}");
        assert!(problem.why[0].contains(words), "{problem:?}");
    }
    let (setting, digest) = cached("MANIFEST_UNKNOWN", Some(b"")).await;
    let by_digest = ManifestReference::Digest(digest);
    let repository = setting.repository();
    let found = setting.registry.find(&repository, &by_digest, &arm64).await;
    assert!(found.is_err());
    assert_eq!(setting.server.lines().len(), 1);
}
