//! Bundles that prove something, and all those that must not.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_STANDARD_NO_PAD};
use serde_json::{Value, json};

use super::Record;
use crate::domain::agent::Origin;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::provenance::bundle::{BUNDLE_LIMIT, BundleError, compose, signed_bytes};
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::Recipe;
use crate::domain::provenance::statement::StatementInput;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::report::secret::Secret;
use crate::test_support::config::falcon_options;
use crate::test_support::signing_key::TestKey;

fn image() -> Digest {
    Digest::of(b"image")
}

fn options() -> FalconOptions {
    FalconOptions {
        falconctl_options: Some(Secret::new("--tags=a")),
        ..falcon_options()
    }
}

fn recipe() -> Recipe {
    Recipe::new(
        Some(&Digest::of(b"source")),
        &Digest::of(b"sensor"),
        &options(),
    )
}

fn statement() -> Value {
    let repository = Repository::new("r.example", "app/web");
    let tag = "1-falcon".parse().expect("a tag");
    let input = StatementInput {
        graft_entry: None,
        target: &repository,
        target_tag: &tag,
        image: &image(),
        source: ("r.example/app/web:1", Some(&repository)),
        sensor: ("r.example/sensor:7.39", &repository),
        sensor_version: Some("7.39.0-7802"),
        recipe: &recipe(),
        options: &options(),
        origin: &Origin::default(),
        finished: "2026-01-02T03:04:05Z",
    };
    input.statement()
}

fn read(bundle: &[u8], keys: &[&TestKey]) -> Result<Option<Record>, BundleError> {
    let keys: Vec<_> = keys.iter().map(|key| key.trusted("alias/x")).collect();
    Record::signed(bundle, &Digest::of(b"artifact"), &image(), &keys)
}

/// The result for a statement that the key has signed.
fn stated(statement: &str) -> Result<Option<Record>, BundleError> {
    let key = TestKey::new();
    read(key.bundle(statement).as_bytes(), &[&key])
}

/// The result for a good bundle that was changed afterwards.
fn changed(change: impl FnOnce(&mut Value, &TestKey)) -> Result<Option<Record>, BundleError> {
    let key = TestKey::new();
    let bundle = key.bundle(&statement().to_string());
    let mut bundle: Value = serde_json::from_str(&bundle).expect("JSON");
    change(&mut bundle, &key);
    read(bundle.to_string().as_bytes(), &[&key])
}

#[test]
fn a_signed_statement_is_read_with_all_that_is_compared() {
    let (key, other) = (TestKey::new(), TestKey::new());
    let text = statement().to_string();
    let signature = key.sign(&signed_bytes(text.as_bytes()));
    let bundle = compose(text.as_bytes(), &signature, &key.public());
    let record = read(&bundle, &[&other, &key]).expect("good").expect("ours");
    assert_eq!(record.provenance.recipe, recipe());
    assert_eq!(record.provenance.options, OptionFields::of(&options()));
    assert_eq!(
        record.provenance.sensor_version.as_deref(),
        Some("7.39.0-7802")
    );
    assert_eq!(record.provenance.signer.as_deref(), Some("alias/x"));
    assert_eq!(record.told.source.as_deref(), Some("r.example/app/web:1"));
    assert_eq!(
        record.told.finished.as_deref(),
        Some("2026-01-02T03:04:05Z")
    );
    for secret in ["0123456789abcdef", "--tags"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn a_bundle_of_another_key_proves_nothing_whatever_it_hints_at() {
    let (key, other) = (TestKey::new(), TestKey::new());
    let text = statement().to_string();
    let bundle = other.bundle(&text);
    assert_eq!(read(bundle.as_bytes(), &[&key]), Err(BundleError::OtherKey));
    let mut forged: Value = serde_json::from_str(&bundle).expect("JSON");
    forged["verificationMaterial"]["publicKey"]["hint"] = key.public().hint().into();
    let forged = read(forged.to_string().as_bytes(), &[&key]);
    assert_eq!(forged, Err(BundleError::Forged("alias/x".to_owned())));
    for hint in [json!(""), json!("x"), Value::Null] {
        let hinted = changed(|bundle, _| {
            bundle["verificationMaterial"]["publicKey"]["hint"] = hint.clone();
        });
        assert!(hinted.expect("the hint proves nothing").is_some(), "{hint}");
    }
}

/// Signs other bytes than those of the statement.
fn signs(bundle: &mut Value, key: &TestKey, message: &[u8]) {
    let signature = BASE64_STANDARD.encode(key.sign(message));
    bundle["dsseEnvelope"]["signatures"][0]["sig"] = signature.into();
}

#[test]
fn each_change_of_a_bundle_is_refused() {
    type Change = fn(&mut Value, &TestKey);
    let payload = || statement().to_string().into_bytes();
    assert!(changed(|_, _| {}).expect("good").is_some());
    let cases: &[(&str, Change)] = &[
        ("payload altered", |bundle, _| {
            let other = statement().to_string().replace("7.39", "7.40");
            bundle["dsseEnvelope"]["payload"] = BASE64_STANDARD.encode(other).into();
        }),
        ("payload's type altered", |bundle, _| {
            bundle["dsseEnvelope"]["payloadType"] = "application/json".into();
        }),
        ("bytes after the signature", |bundle, key| {
            let text = statement().to_string();
            let mut signature = key.sign(&signed_bytes(text.as_bytes()));
            signature.push(0);
            bundle["dsseEnvelope"]["signatures"][0]["sig"] =
                BASE64_STANDARD.encode(signature).into();
        }),
        ("two signatures", |bundle, _| {
            let list = bundle["dsseEnvelope"]["signatures"].as_array_mut();
            let list = list.expect("a list");
            list.push(list[0].clone());
        }),
        ("no signature", |bundle, _| {
            bundle["dsseEnvelope"]["signatures"] = json!([]);
        }),
        ("certificate beside the key", |bundle, _| {
            bundle["verificationMaterial"]["certificate"] = json!({"rawBytes": ""});
        }),
        ("certificate in place of the key", |bundle, _| {
            bundle["verificationMaterial"] = json!({"certificate": {"rawBytes": ""}});
        }),
        ("no key", |bundle, _| {
            bundle["verificationMaterial"] = json!({});
        }),
        ("message signature", |bundle, _| {
            let bundle = bundle.as_object_mut().expect("an object");
            bundle.remove("dsseEnvelope");
            bundle.insert("messageSignature".to_owned(), json!({}));
        }),
        ("unknown field", |bundle, _| bundle["more"] = json!(1)),
        ("other version", |bundle, _| {
            bundle["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.4+json".into();
        }),
        ("payload without padding", |bundle, _| {
            let unpadded = BASE64_STANDARD_NO_PAD.encode(b"{}");
            bundle["dsseEnvelope"]["payload"] = unpadded.into();
        }),
    ];
    for (name, change) in cases {
        assert!(changed(*change).is_err(), "{name}");
    }
    let message = payload();
    let over_payload = changed(|bundle, key| signs(bundle, key, &message));
    assert!(over_payload.is_err());
    let hash = <sha2::Sha256 as sha2::Digest>::digest(signed_bytes(&message));
    assert!(changed(|bundle, key| signs(bundle, key, &hash)).is_err());
}

/// The two numbers of an ASN.1 signature, 32 bytes each.
fn two_numbers(der: &[u8]) -> Vec<u8> {
    let (mut numbers, mut rest) = (Vec::new(), &der[2..]);
    for _ in 0..2 {
        let (number, after) = rest[2..].split_at(usize::from(rest[1]));
        let first = number.len().saturating_sub(32);
        numbers.extend(vec![0; 32_usize.saturating_sub(number.len())]);
        numbers.extend(&number[first..]);
        rest = after;
    }
    numbers
}

#[test]
fn a_right_signature_in_the_form_of_two_numbers_is_refused() {
    let result = changed(|bundle, key| {
        let message = signed_bytes(statement().to_string().as_bytes());
        let numbers = two_numbers(&key.sign(&message));
        assert_eq!(numbers.len(), 64);
        bundle["dsseEnvelope"]["signatures"][0]["sig"] = BASE64_STANDARD.encode(numbers).into();
    });
    assert!(matches!(result, Err(BundleError::Forged(_))), "{result:?}");
}

#[test]
fn a_payload_of_another_type_is_refused_although_it_is_signed_so() {
    let result = changed(|bundle, key| {
        let payload = statement().to_string();
        let message = format!("DSSEv1 16 application/json {} {payload}", payload.len());
        bundle["dsseEnvelope"]["payloadType"] = "application/json".into();
        signs(bundle, key, message.as_bytes());
    });
    assert!(matches!(result, Err(BundleError::Form(_))), "{result:?}");
}

#[test]
fn a_bundle_that_is_signed_in_another_way_is_of_another_kind() {
    type Change = fn(&mut Value);
    let cases: [Change; 3] = [
        |bundle| bundle["verificationMaterial"]["certificate"] = json!({"rawBytes": ""}),
        |bundle| bundle["verificationMaterial"] = json!({"x509CertificateChain": {}}),
        |bundle| bundle["messageSignature"] = json!({}),
    ];
    for change in cases {
        let result = changed(|bundle, _| change(bundle));
        assert_eq!(result, Err(BundleError::OtherKind));
    }
}

#[test]
fn what_is_no_json_or_doubled_or_too_long_is_refused() {
    let key = TestKey::new();
    let good = key.bundle(&statement().to_string());
    let doubled = good.replacen("\"payload\":", "\"payload\":\"e30=\",\"payload\":", 1);
    let spaces = " ".repeat(usize::try_from(BUNDLE_LIMIT).expect("a size"));
    for (name, text) in [
        ("no JSON", "bundle"),
        ("a list", "[]"),
        ("doubled", &doubled),
        ("too long", &format!("{good}{spaces}")),
    ] {
        let result = read(text.as_bytes(), &[&key]);
        assert!(
            matches!(result, Err(BundleError::Form(_) | BundleError::TooLarge(_))),
            "{name}: {result:?}"
        );
    }
}

#[test]
fn a_statement_of_another_kind_is_skipped() {
    let mut other_type = statement();
    other_type["predicateType"] = "https://spdx.dev/Document".into();
    let mut other_build = statement();
    other_build["predicate"]["buildDefinition"]["buildType"] =
        "urn:falcon-arm64-patch:graft:v1".into();
    let mut no_build = statement();
    no_build["predicate"] = json!({});
    for statement in [other_type, other_build, no_build] {
        assert_eq!(stated(&statement.to_string()), Ok(None), "{statement}");
    }
}

#[test]
fn a_signed_statement_that_proves_nothing_about_the_image_is_refused() {
    type Change = fn(&mut Value);
    let cases: &[(&str, Change)] = &[
        ("is about", |s| {
            let hex = "a".repeat(64);
            s["subject"][0]["digest"]["sha256"] = hex.into();
        }),
        ("2 subjects", |s| {
            let first = s["subject"][0].clone();
            s["subject"] = json!([first, first]);
        }),
        ("0 subjects", |s| s["subject"] = json!([])),
        ("_type", |s| s["_type"] = "nonsense".into()),
        ("SHA-256", |s| {
            s["subject"][0]["digest"]["sha256"] = "A".repeat(64).into();
        }),
        ("unknown field", |s| {
            s["subject"][0]["digest"]["sha512"] = "a".into();
        }),
        ("unknown field", |s| s["more"] = json!(1)),
        ("names no sensor", |s| {
            s["predicate"]["buildDefinition"]["resolvedDependencies"] = json!([]);
        }),
        ("more than one sensor", |s| {
            let list = s["predicate"]["buildDefinition"]["resolvedDependencies"].as_array_mut();
            let list = list.expect("a list");
            list.push(list[1].clone());
        }),
        ("digest of the source", |s| {
            s["predicate"]["buildDefinition"]["resolvedDependencies"][0]["digest"] = json!({});
        }),
        ("digest of the options", |s| {
            s["predicate"]["buildDefinition"]["internalParameters"]["options"] = "sha256:1".into();
        }),
    ];
    for (expected, change) in cases {
        let mut statement = statement();
        change(&mut statement);
        let error = stated(&statement.to_string()).expect_err(expected);
        assert!(error.to_string().contains(expected), "{expected}: {error}");
    }
    let doubled = statement().to_string();
    let doubled = doubled.replacen("\"options\":", "\"options\":\"x\",\"options\":", 1);
    assert!(stated(&doubled).is_err(), "{doubled}");
}
