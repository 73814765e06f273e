use std::sync::Arc;

use serde_json::{Value, json};

use super::{to_search, verify};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::sensor_files::answer::{Absence, FoundFile, Obstacle, SensorFiles};
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::{IgnoredRecord, IgnoredWhy, KnownRecords};
use crate::domain::provenance::option_fields::OptionFields;
use crate::domain::provenance::record::{Provenance, Recipe};
use crate::domain::provenance::signed_record::Record;
use crate::domain::provenance::statement::StatementDetails;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::read::Config;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::inputs::Inputs;
use crate::flow::outcome::Verified;
use crate::flow::verify::refusal::SENSOR_VERSION_LABEL;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::HOST;
use crate::test_support::signing_key::TestKey;

/// A change of a good image.
type Change = fn(&mut RegistryImage);

fn config(minimum: &str) -> VerifyConfig {
    let inputs = Inputs {
        action: "verify".to_owned(),
        target_image: format!("{HOST}/app/web:1-falcon"),
        minimum_sensor_version: minimum.to_owned(),
        ..Inputs::default()
    };
    match Config::from_inputs(&inputs) {
        Ok(Config::Verify(config)) => *config,
        other => panic!("the inputs of a test are good: {other:?}"),
    }
}

fn image(tag: &str, layers: &[&str], config: &Value) -> ImageFacts {
    let repository = Repository::new(HOST, "app/web");
    ImageFacts {
        name: format!("{repository}:{tag}"),
        repository,
        from_index: false,
        image: Arc::new(RegistryImage::of(layers, config)),
    }
}

/// The same image after a change.
fn changed(mut facts: ImageFacts, change: impl FnOnce(&mut RegistryImage)) -> ImageFacts {
    change(Arc::make_mut(&mut facts.image));
    facts
}

/// The result of a search that found the sensor.
fn present() -> SensorFiles {
    SensorFiles::Present(FoundFile {
        path: FALCON_ENTRYPOINT.to_owned(),
        bytes: 1,
        layer: Digest::of(b"sensor"),
    })
}

/// The verification of an image in which the sensor was found.
fn decided(config: &VerifyConfig, facts: &VerifyFacts) -> Result<Verified, Problem> {
    let verified = verify(config, facts, &Ok(present()));
    // The search is for images alone that can still pass.
    let searched = to_search(config, facts);
    assert_eq!(searched.err(), verified.as_ref().err().cloned());
    verified
}

fn source() -> ImageFacts {
    let config = json!({"Entrypoint": ["/entry.sh"], "Env": ["PATH=/bin"], "User": "www"});
    image("1", &["a", "b"], &config)
}

fn patched() -> ImageFacts {
    let config = json!({
        "Entrypoint": [FALCON_ENTRYPOINT, "/entry.sh"],
        "Env": ["PATH=/bin", "__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs", "CS_CONTAINER=web"],
        "User": "www",
    });
    image("1-falcon", &["a", "b", "sensor"], &config)
}

fn facts(target: ImageFacts) -> VerifyFacts {
    VerifyFacts {
        caller: None,
        target: Ok(target),
        records: Ok(KnownRecords::all(Vec::new())),
        keys: Ok(KeyFacts {
            trust: Trust::Anyone,
        }),
        source: None,
    }
}

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
fn a_patched_image_passes_with_what_it_shows() {
    let verified = decided(&config(""), &facts(patched())).expect("it is patched");
    assert_eq!(verified.digest, patched().image.digest);
    assert_eq!(verified.tag.expect("a tag").as_str(), "1-falcon");
    assert_eq!(verified.entrypoint, [FALCON_ENTRYPOINT, "/entry.sh"]);
    assert_eq!(verified.container_name.as_deref(), Some("web"));
    assert_eq!(
        (
            verified.cloud_service,
            verified.sensor_version,
            verified.source
        ),
        (None, None, None)
    );
}

#[test]
fn an_image_in_which_the_sensor_does_not_start_is_refused() {
    let cases: &[(Code, &str, Change)] = &[
        (Code::FalconNotPatched, "entrypoint", |i| {
            i.config["config"]["Entrypoint"] = json!(["/entry.sh"]);
        }),
        (Code::FalconNotPatched, "entrypoint", |i| {
            i.config["config"]["Entrypoint"] = json!(["/entry.sh", FALCON_ENTRYPOINT]);
        }),
        (Code::FalconNotPatched, "entrypoint", |i| {
            i.config["config"]["Entrypoint"] = json!(null);
        }),
        (Code::FalconNotPatched, "__CS_FALCON_SENSOR_ROOT", |i| {
            i.config["config"]["Env"] = json!(["PATH=/bin"]);
        }),
        (Code::FalconNotPatched, ", and its environment", |i| {
            i.config["config"] = json!(null);
        }),
        (
            Code::FalconNotPatched,
            "`CS_CONTAINER` with different",
            |i| {
                let list = i.config["config"]["Env"].as_array_mut().expect("a list");
                list.push(json!("CS_CONTAINER=api"));
            },
        ),
        (Code::FalconNotPatched, "`FALCONCTL_OPTS` with", |i| {
            let list = i.config["config"]["Env"].as_array_mut().expect("a list");
            list.extend([json!("FALCONCTL_OPTS=--cid=a"), json!("FALCONCTL_OPTS")]);
        }),
        (
            Code::FalconNotPatched,
            "`__CS_FALCON_SENSOR_ROOT` with",
            |i| {
                let list = i.config["config"]["Env"].as_array_mut().expect("a list");
                list.insert(0, json!("__CS_FALCON_SENSOR_ROOT=/tmp"));
            },
        ),
        (
            Code::FalconNotPatched,
            "names 3 layers, and its manifest 2",
            |i| {
                i.layers.truncate(2);
            },
        ),
        (Code::RegistryPlatformMissing, "linux/amd64", |i| {
            i.config["architecture"] = json!("amd64");
        }),
    ];
    for (code, reason, change) in cases {
        let image = changed(patched(), change);
        let problem = decided(&config(""), &facts(image)).expect_err(reason);
        assert_eq!(problem.code, *code);
        assert!(problem.why[0].contains(reason), "{:?}", problem.why);
    }
}

#[test]
fn an_image_that_could_not_be_looked_at_is_refused_for_that() {
    let problem = Problem {
        code: Code::RegistryImageNotFound,
        what: "no such image".to_owned(),
        why: Vec::new(),
        hint: None,
    };
    let missing = VerifyFacts {
        target: Err(problem.clone()),
        ..facts(patched())
    };
    assert_eq!(decided(&config(""), &missing), Err(problem.clone()));
    let without_source = VerifyFacts {
        source: Some(Err(problem.clone())),
        ..facts(patched())
    };
    assert_eq!(decided(&config(""), &without_source), Err(problem));
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
fn the_same_value_twice_is_not_a_contradiction() {
    let image = changed(patched(), |i| {
        let list = i.config["config"]["Env"].as_array_mut().expect("a list");
        list.push(json!("CS_CONTAINER=web"));
    });
    assert!(decided(&config(""), &facts(image)).is_ok());
}

#[test]
fn the_source_must_be_in_it_unchanged() {
    let against = |source: ImageFacts| {
        let facts = VerifyFacts {
            source: Some(Ok(source)),
            ..facts(patched())
        };
        decided(&config(""), &facts)
    };
    let verified = against(source()).expect("it is the source with the sensor");
    assert_eq!(
        verified.source.expect("compared").digest,
        source().image.digest
    );
    assert!(verified.more.is_empty());

    let cases: &[(&str, Change)] = &[
        ("source's layers and no other", |i| {
            let list = &mut i.config["rootfs"]["diff_ids"];
            list.as_array_mut().expect("a list").push(json!("sensor"));
        }),
        ("`PATH`", |i| {
            i.config["config"]["Env"] = json!(["PATH=/bin", "PATH=/bin"]);
        }),
        ("layers", |i| {
            i.config["rootfs"]["diff_ids"][0] = json!("other");
        }),
        ("`User`", |i| i.config["config"]["User"] = json!("root")),
        ("`PATH`", |i| {
            i.config["config"]["Env"] = json!(["PATH=/usr/bin"]);
        }),
        ("entrypoint", |i| {
            i.config["config"]["Entrypoint"] = json!(["/other.sh"]);
        }),
    ];
    for (reason, change) in cases {
        let problem = against(changed(source(), change)).expect_err(reason);
        assert_eq!(problem.code, Code::FalconSourceDiffers);
        assert!(problem.why[0].contains(reason), "{:?}", problem.why);
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
fn only_files_that_were_found_pass() {
    let path = FALCON_ENTRYPOINT.to_owned();
    let problem = Problem {
        code: Code::RegistryRequestFailed,
        what: "no layer".to_owned(),
        why: Vec::new(),
        hint: None,
    };
    for (files, code) in [
        (
            Ok(SensorFiles::Missing(Absence::Nowhere { path })),
            Code::FalconSensorFilesMissing,
        ),
        (
            Ok(SensorFiles::Unknown(Obstacle::UnpackedLimit)),
            Code::FalconSensorFilesUnknown,
        ),
        (Err(problem), Code::RegistryRequestFailed),
    ] {
        let verified = verify(&config(""), &facts(patched()), &files);
        assert_eq!(verified.map_err(|problem| problem.code), Err(code));
    }
    // What the configuration shows comes first.
    let unpatched = facts(changed(patched(), |i| i.config["config"] = json!({})));
    let missing = Ok(SensorFiles::Unknown(Obstacle::NamesLimit));
    let verified = verify(&config(""), &unpatched, &missing);
    assert_eq!(
        verified.map_err(|problem| problem.code),
        Err(Code::FalconNotPatched)
    );
}

#[test]
fn with_a_source_the_layers_on_top_of_it_are_searched() {
    let searched = |facts: &VerifyFacts| {
        let searched = to_search(&config(""), facts).expect("it can be patched");
        assert_eq!(searched.entrypoint, FALCON_ENTRYPOINT);
        assert_eq!(searched.image.name, patched().name);
        searched.below
    };
    assert_eq!(searched(&facts(patched())), 0);
    let with_source = VerifyFacts {
        source: Some(Ok(source())),
        ..facts(patched())
    };
    assert_eq!(searched(&with_source), 2);
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
