use serde_json::{Value, json};

use super::{
    DOCKER_LIST, DOCKER_MANIFEST, IndexEntry, Manifest, OCI_INDEX, OCI_MANIFEST, RawManifest,
    children, media_type, parse,
};
use crate::domain::platform::Platform;
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

fn index(entries: &[Value]) -> RawManifest {
    let index = json!({"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries});
    RawManifest {
        media_type: OCI_INDEX.to_owned(),
        bytes: index.to_string().into_bytes(),
    }
}

fn entries(entries: &[Value]) -> Vec<IndexEntry> {
    match parse(&index(entries)) {
        Ok(Manifest::Index(entries)) => entries,
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_index_names_its_platforms_without_attestations() {
    let digests: Vec<Digest> = [b"a", b"b", b"c"].map(|bytes| Digest::of(bytes)).to_vec();
    let nested = json!({"mediaType": OCI_INDEX, "digest": digests[0].as_str(), "size": 7, "platform": {"os": "linux", "architecture": "arm64"}});
    let entries = entries(&[
        nested,
        entry(
            &digests[0],
            &json!({"os": "linux", "architecture": "amd64"}),
        ),
        entry(
            &digests[1],
            &json!({"os": "Linux", "architecture": "ARM64", "variant": "8"}),
        ),
        entry(
            &digests[2],
            &json!({"os": "unknown", "architecture": "unknown"}),
        ),
    ]);
    let seen: Vec<_> = entries
        .into_iter()
        .map(|entry| (entry.platform, entry.descriptor.map(|known| known.digest)))
        .collect();
    assert_eq!(
        seen,
        [
            (Some(Platform::linux("amd64")), Ok(digests[0].clone())),
            (Some(Platform::linux_arm64()), Ok(digests[1].clone())),
        ]
    );
}

#[test]
fn an_entry_may_leave_its_platform_to_its_configuration() {
    let digest = Digest::of(b"a");
    let bare = json!({"mediaType": OCI_MANIFEST, "digest": digest.as_str(), "size": 7});
    let with = |name: &str, value: Value| {
        let mut entry = bare.clone();
        entry[name] = value;
        entry
    };
    for undeclared in [
        bare.clone(),
        with("platform", json!({})),
        with("platform", Value::Null),
        with("platform", json!({"architecture": "arm64"})),
        with("mediaType", Value::Null),
        with("artifactType", json!("")),
        with(
            "artifactType",
            json!("application/vnd.oci.image.config.v1+json"),
        ),
    ] {
        let entries = entries(std::slice::from_ref(&undeclared));
        let [entry] = entries.as_slice() else {
            panic!("{undeclared}")
        };
        assert_eq!(entry.platform, None, "{undeclared}");
        assert!(entry.descriptor.is_ok(), "{undeclared}");
    }
    for artifact in [
        with("artifactType", json!("application/vnd.in-toto+json")),
        with(
            "annotations",
            json!({"vnd.docker.reference.type": "attestation-manifest"}),
        ),
        with("mediaType", json!("application/vnd.cncf.helm.chart")),
    ] {
        assert!(entries(std::slice::from_ref(&artifact)).is_empty());
    }
}

#[test]
fn a_flaw_in_an_entry_leaves_the_others_readable() {
    let good = entry(
        &Digest::of(b"a"),
        &json!({"os": "linux", "architecture": "arm64"}),
    );
    let amd64 = json!({"os": "linux", "architecture": "amd64"});
    let sha512 = format!("sha512:{}", "a".repeat(128));
    for flawed in [
        json!({"mediaType": OCI_MANIFEST, "digest": sha512, "size": 7, "platform": amd64}),
        json!({"mediaType": OCI_MANIFEST, "digest": "md5:1", "size": 7, "platform": amd64}),
        json!({"mediaType": OCI_MANIFEST, "digest": Digest::of(b"b").as_str(), "size": -1, "platform": amd64}),
        json!({"mediaType": 5, "layers": null}),
        json!({"mediaType": OCI_MANIFEST, "layers": null, "platform": "x"}),
        json!("x"),
    ] {
        let entries = entries(&[flawed.clone(), good.clone()]);
        let usable: Vec<_> = entries.iter().filter(|e| e.descriptor.is_ok()).collect();
        let [usable] = usable.as_slice() else {
            panic!("{flawed}")
        };
        assert_eq!(usable.platform, Some(Platform::linux_arm64()));
    }
}

#[test]
fn a_list_that_go_writes_as_null_is_empty() {
    let config = json!({"mediaType": "x/y", "digest": Digest::of(b"c").as_str(), "size": 1});
    for layers in [json!(null), json!([])] {
        let manifest = json!({"schemaVersion": 2, "config": config, "layers": layers});
        let raw = RawManifest {
            media_type: OCI_MANIFEST.to_owned(),
            bytes: manifest.to_string().into_bytes(),
        };
        let Ok(Manifest::Image(parts)) = parse(&raw) else {
            panic!("an image")
        };
        assert!(parts.layers.is_empty());
    }
    let index = RawManifest {
        media_type: OCI_INDEX.to_owned(),
        bytes: br#"{"schemaVersion": 2, "manifests": null}"#.to_vec(),
    };
    assert!(matches!(parse(&index), Ok(Manifest::Index(none)) if none.is_empty()));
    assert_eq!(children(&index), Ok(Vec::new()));
    let wrong = RawManifest {
        media_type: OCI_INDEX.to_owned(),
        bytes: br#"{"schemaVersion": 2, "manifests": {}}"#.to_vec(),
    };
    assert!(parse(&wrong).is_err());
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
