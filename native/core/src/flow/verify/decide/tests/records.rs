use serde_json::json;

use super::{changed, config, decided, facts, patched};
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::{IgnoredRecord, IgnoredWhy, KnownRecords};
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::domain::provenance::signed_record::Record;
use crate::domain::provenance::statement::StatementDetails;
use crate::domain::reference::digest::Digest;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::verify::refusal::SENSOR_VERSION_LABEL;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::signing_key::TestKey;

fn record(sensor: &str, version: Option<&str>) -> Record {
    Record {
        provenance: Provenance {
            options: OptionFields::default(),
            recipe: Recipe {
                source: Some(Digest::of(b"1")),
                sensor: Digest::of(sensor.as_bytes()),
                options: Digest::of(b"options"),
            },
            sensor_version: version.map(str::to_owned),
            artifact: Digest::of(b"artifact"),
            signer: None,
        },
        told: StatementDetails::default(),
    }
}

fn labelled(version: &str) -> ImageFacts {
    changed(patched(), |image| {
        image.config["config"]["Labels"] = json!({SENSOR_VERSION_LABEL: version});
    })
}

#[test]
fn records_that_cannot_be_read_do_not_yield_to_the_label() {
    let problem = Problem {
        code: Code::RegistryRequestFailed,
        what: "no list".to_owned(),
        why: Vec::new(),
        hint: None,
    };
    let unreadable = VerifyFacts {
        records: Err(problem.clone()),
        ..facts(labelled("7.99"))
    };
    for minimum in ["", "7.39"] {
        assert_eq!(decided(&config(minimum), &unreadable), Err(problem.clone()));
    }
}

#[test]
fn a_minimum_is_met_missed_or_unknown() {
    let told = |label: &str, minimum: &str| {
        decided(&config(minimum), &facts(labelled(label)))
            .map(|verified| verified.sensor_version)
            .map_err(|problem| problem.code)
    };
    assert_eq!(
        told("7.39.0-7802", "7.39"),
        Ok(Some("7.39.0-7802".to_owned()))
    );
    assert_eq!(
        told("7.39.0-7802-1", "7.39.0-7802"),
        Ok(Some("7.39.0-7802".to_owned()))
    );
    assert_eq!(told("7.9.0-1", "7.39"), Err(Code::FalconSensorTooOld));
    assert_eq!(
        told("7.39", "7.39.0-7802"),
        Err(Code::FalconSensorVersionUnknown)
    );
    assert_eq!(told("newest", "7"), Err(Code::FalconSensorVersionUnknown));
    assert_eq!(told("newest", ""), Ok(None));
    let problem = decided(&config("7"), &facts(patched())).expect_err("nothing tells");
    assert_eq!(problem.code, Code::FalconSensorVersionUnknown);
}

#[test]
fn a_record_names_the_version_before_a_label_and_of_several_the_oldest_counts() {
    let told = |image: ImageFacts, records: Vec<Record>| {
        let facts = VerifyFacts {
            records: Ok(KnownRecords::all(records)),
            ..facts(image)
        };
        decided(&config("7.39"), &facts)
            .map(|verified| (verified.sensor_version, verified.record.is_some()))
            .map_err(|problem| problem.code)
    };
    let recorded = |version: &str| vec![record("arm64", Some(version))];
    assert_eq!(
        told(patched(), recorded("7.39.0-7802")),
        Ok((Some("7.39.0-7802".to_owned()), true))
    );
    assert_eq!(
        told(labelled("7.40.0-1"), recorded("7.38.0-1")),
        Err(Code::FalconSensorTooOld)
    );
    let unknown = Err(Code::FalconSensorVersionUnknown);
    assert_eq!(told(patched(), vec![record("arm64", None)]), unknown);
    // A label does not stand in for a record without a version.
    assert_eq!(
        told(labelled("7.40.0-1"), vec![record("arm64", None)]),
        unknown
    );
    let same = vec![record("a", Some("7.39.0-1")), record("b", Some("7.39.0-1"))];
    assert_eq!(
        told(patched(), same),
        Ok((Some("7.39.0-1".to_owned()), true))
    );
    for (first, second) in [("7.40.0-1", "7.38.0-1"), ("7.38.0-1", "7.40.0-1")] {
        let both = vec![
            record("a", None),
            record("b", Some(first)),
            record("c", Some(second)),
        ];
        assert_eq!(told(patched(), both), Err(Code::FalconSensorTooOld));
    }
}

#[test]
fn with_keys_only_a_signed_record_lets_an_image_pass() {
    let keys = || {
        Ok(KeyFacts {
            trust: Trust::Keys(vec![TestKey::new().trusted("alias/x")]),
        })
    };
    let with = |records| VerifyFacts {
        keys: keys(),
        records: Ok(records),
        ..facts(labelled("7.39.0-7802"))
    };
    let none = KnownRecords::all(Vec::new());
    let ignored = KnownRecords {
        ignored: vec![IgnoredRecord {
            artifact: Digest::of(b"artifact"),
            is_ours: true,
            why: IgnoredWhy::Unsigned,
        }],
        unread: 3,
        ..none.clone()
    };
    for (records, expected) in [
        (none, "it has no record"),
        (ignored, "it is not signed; 3 more"),
    ] {
        let problem = decided(&config(""), &with(records)).expect_err(expected);
        assert_eq!(problem.code, Code::FalconRecordNotSigned);
        assert!(problem.why[0].contains(expected), "{:?}", problem.why);
    }
    let signed = KnownRecords::all(vec![record("sensor", Some("7.38.0"))]);
    let verified = decided(&config(""), &with(signed)).expect("a signed record");
    assert_eq!(verified.sensor_version.as_deref(), Some("7.38.0"));
    let unknown = VerifyFacts {
        keys: Err(no_answer()),
        ..facts(patched())
    };
    assert!(decided(&config(""), &unknown).is_err());
}

fn no_answer() -> Problem {
    Problem {
        code: Code::AwsNotReachable,
        what: "KMS does not answer".to_owned(),
        why: Vec::new(),
        hint: None,
    }
}
