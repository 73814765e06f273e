use std::collections::BTreeMap;

use proptest::prop_assert;
use serde_json::json;

use super::key::PublicKey;
use super::record::{Provenance, STATEMENT_TYPE};
use super::signed_record::Record;
use crate::domain::aws::kms_key::KmsKeyName;
use crate::domain::image::referrer::Referrer;
use crate::domain::reference::digest::Digest;
use crate::test_support::fuzz::{changed_text, fuzz};
use crate::test_support::signing_key::TestKey;

fn statement() -> String {
    let hex = |bytes: &[u8]| Digest::of(bytes).as_str().replace("sha256:", "");
    json!({
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"digest": {"sha256": hex(b"image")}}],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {
            "buildDefinition": {
                "buildType": "urn:falcon-arm64-patch:patch:v1",
                "externalParameters": {"sensorVersion": "7"},
                "internalParameters": {"options": Digest::of(b"options").as_str()},
                "resolvedDependencies": [{"name": "sensor", "digest": {"sha256": hex(b"sensor")}}],
            },
            "runDetails": {"metadata": {}},
        },
    })
    .to_string()
}

const PIECES: [&str; 16] = [
    "null",
    "[]",
    "{}",
    ",",
    "\"sig\":\"\",",
    "\"payload\":\"e30=\",",
    "\"signatures\":[],",
    "=",
    "\"sha256\":",
    "\\u0000",
    "\"subject\":[],",
    "\"buildType\":\"x\",",
    "-----BEGIN PUBLIC KEY-----",
    "-----END ",
    "arn:aws:kms:",
    "alias/",
];

#[test]
fn no_change_of_a_bundle_proves_another_statement() {
    let key = TestKey::new();
    let keys = [key.trusted("alias/x")];
    let (image, artifact) = (Digest::of(b"image"), Digest::of(b"artifact"));
    let bundle = key.bundle(&statement());
    let read = |text: &str| Record::signed(text.as_bytes(), &artifact, &image, &keys);
    let good = read(&bundle).expect("a good bundle").expect("a record");
    fuzz("bundles", &changed_text(&[&bundle], &PIECES), |text| {
        if let Ok(read) = read(&text) {
            prop_assert!(read.as_ref() == Some(&good), "{text}");
        }
        Ok(())
    });
}

#[test]
fn signed_statements_of_any_form_are_read_skipped_or_refused() {
    let key = TestKey::new();
    let keys = [key.trusted("alias/x")];
    let (image, artifact) = (Digest::of(b"image"), Digest::of(b"artifact"));
    fuzz(
        "statements",
        &changed_text(&[&statement()], &PIECES),
        |text| {
            let _ = Record::signed(key.bundle(&text).as_bytes(), &artifact, &image, &keys);
            let annotations = serde_json::from_str::<BTreeMap<String, String>>(&text);
            let referrer = Referrer {
                digest: artifact.clone(),
                artifact_type: STATEMENT_TYPE.to_owned(),
                annotations: annotations.unwrap_or_default(),
            };
            let _ = Provenance::read(&referrer);
            Ok(())
        },
    );
}

#[test]
fn keys_of_any_form_are_read_or_refused_without_being_shown() {
    let pem = "-----BEGIN PRIVATE KEY-----\nU0VDUkVUU0VDUkVU\n-----END PRIVATE KEY-----";
    let samples = [
        pem,
        "arn:aws:kms:eu-west-1:123456789012:alias/x",
        "mrk-1234",
        "awskms:///alias/x",
    ];
    fuzz("keys", &changed_text(&samples, &PIECES), |text| {
        if let Err(error) = PublicKey::from_pem(&text) {
            prop_assert!(!error.to_string().contains("U0VDUk"), "{error}");
        }
        let _ = text.parse::<KmsKeyName>();
        let _ = PublicKey::from_der(text.as_bytes());
        Ok(())
    });
}
