use serde_json::{Value, json};

use super::{
    DOCKER_LIST, DOCKER_MANIFEST, Manifest, OCI_INDEX, OCI_MANIFEST, RawManifest, children,
    media_type, parse,
};
use crate::domain::reference::digest::Digest;

fn check(content_type: Option<&str>, body: &Value, expected: Result<&str, &str>) {
    let seen = media_type(content_type, body.to_string().as_bytes());
    match expected {
        Ok(expected) => assert_eq!(seen.as_deref(), Ok(expected), "{body}"),
        Err(part) => {
            let why = seen.expect_err(part);
            assert!(why.contains(part), "{why}");
        }
    }
}

#[test]
fn the_media_type_is_that_of_the_header_and_of_the_manifest() {
    let plain = json!({"schemaVersion": 2, "config": {}, "layers": []});
    let own = |media_type: &str| json!({"schemaVersion": 2, "mediaType": media_type});
    check(Some(OCI_MANIFEST), &plain, Ok(OCI_MANIFEST));
    check(
        Some(&format!("{DOCKER_MANIFEST}; charset=utf-8")),
        &plain,
        Ok(DOCKER_MANIFEST),
    );
    check(None, &plain, Ok(OCI_MANIFEST));
    check(
        None,
        &json!({"schemaVersion": 2, "manifests": []}),
        Ok(OCI_INDEX),
    );
    check(Some("application/json"), &own(DOCKER_LIST), Ok(DOCKER_LIST));
    check(
        Some(OCI_INDEX),
        &own(OCI_MANIFEST),
        Err("the manifest says that it is"),
    );
    check(
        None,
        &own("application/vnd.oci.artifact.manifest.v1+json"),
        Err("not supported"),
    );
    check(None, &json!({"schemaVersion": 1}), Err("schema version 1"));
    check(None, &json!([]), Err("cannot be read"));
    let both = json!({"schemaVersion": 2, "manifests": [], "layers": []});
    check(Some(OCI_INDEX), &both, Err("both an index and an image"));
}

fn entry(digest: &Digest, platform: &Value) -> Value {
    json!({"mediaType": OCI_MANIFEST, "digest": digest.as_str(), "size": 7, "platform": platform})
}

#[test]
fn an_index_names_its_platforms_without_attestations() {
    let digests: Vec<Digest> = [b"a", b"b", b"c"].map(|bytes| Digest::of(bytes)).to_vec();
    let bare = json!({"mediaType": OCI_MANIFEST, "digest": digests[0].as_str(), "size": 7});
    let nested = json!({"mediaType": OCI_INDEX, "digest": digests[0].as_str(), "size": 7, "platform": {"os": "linux", "architecture": "arm64"}});
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [
        nested,
        entry(&digests[0], &json!({"os": "linux", "architecture": "amd64"})),
        entry(&digests[1], &json!({"os": "linux", "architecture": "arm64", "variant": "v8"})),
        entry(&digests[2], &json!({"os": "unknown", "architecture": "unknown"})),
        bare,
    ]});
    let raw = RawManifest {
        media_type: OCI_INDEX.to_owned(),
        bytes: index.to_string().into_bytes(),
    };
    let Ok(Manifest::Index(platforms)) = parse(&raw) else {
        panic!("an index");
    };
    let seen: Vec<_> = platforms
        .iter()
        .map(|m| (m.platform.to_string(), &m.digest))
        .collect();
    assert_eq!(
        seen,
        [
            ("linux/amd64".to_owned(), &digests[0]),
            ("linux/arm64".to_owned(), &digests[1])
        ]
    );
}

#[test]
fn a_digest_that_is_none_makes_the_manifest_unusable() {
    let config = json!({"mediaType": "x/y", "digest": "sha256:12", "size": 1});
    let manifest = json!({"schemaVersion": 2, "config": config, "layers": []});
    let raw = RawManifest {
        media_type: DOCKER_MANIFEST.to_owned(),
        bytes: manifest.to_string().into_bytes(),
    };
    assert!(parse(&raw).is_err());
}

#[test]
fn an_index_of_too_many_manifests_is_not_followed() {
    for (count, is_followed) in [(200, true), (201, false)] {
        let child =
            json!({"mediaType": OCI_MANIFEST, "digest": Digest::of(b"a").as_str(), "size": 1});
        let index = RawManifest {
            media_type: OCI_INDEX.to_owned(),
            bytes: json!({"schemaVersion": 2, "manifests": vec![child; count]})
                .to_string()
                .into_bytes(),
        };
        assert_eq!(children(&index).is_ok(), is_followed, "{count}");
    }
}
