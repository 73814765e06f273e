use std::sync::Arc;

use serde_json::{Value, json};

use super::{to_search, verify};
use crate::domain::falcon::options::FALCON_ENTRYPOINT;
use crate::domain::image::registry_image::RegistryImage;
use crate::domain::image::sensor_files::answer::{Absence, FoundFile, Obstacle, SensorFiles};
use crate::domain::provenance::key::Trust;
use crate::domain::provenance::known_records::KnownRecords;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::config::read::Config;
use crate::flow::config::verify::VerifyConfig;
use crate::flow::facts::keys::KeyFacts;
use crate::flow::facts::verify::{ImageFacts, VerifyFacts};
use crate::flow::inputs::Inputs;
use crate::flow::outcome::Verified;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::HOST;

mod records;

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
