use crate::domain::falcon::release::VersionChoice;
use crate::flow::config::patch::Sensor;
use crate::flow::config::tests::refusal;
use crate::flow::inputs::Inputs;
use crate::report::code::Code;
use crate::test_support::config::{inputs, read};

/// The inputs for a sensor from CrowdStrike.
fn from_crowdstrike() -> Inputs {
    Inputs {
        sensor_source: "crowdstrike".into(),
        sensor_image: String::new(),
        falcon_cid: String::new(),
        falcon_client_id: "client".into(),
        falcon_client_secret: "secret".into(),
        ..inputs()
    }
}

#[test]
fn a_sensor_from_crowdstrike_needs_an_api_client_and_no_customer_id() {
    let config = read(&from_crowdstrike()).unwrap();
    assert!(config.falcon.customer_id.is_none());
    assert_eq!(
        config.sensor,
        Sensor::CrowdStrike {
            version: VersionChoice::Newest { releases_before: 0 },
            mirror: None,
        }
    );
    let with_image = read(&Inputs {
        falcon_cid: String::new(),
        falcon_client_id: "client".into(),
        falcon_client_secret: "secret".into(),
        ..inputs()
    })
    .unwrap();
    assert!(with_image.falcon.customer_id.is_none() && with_image.falcon_api.is_some());
}

#[test]
fn inputs_of_the_other_sensor_source_are_refused_and_addresses_must_be_private() {
    type Change = fn(&mut Inputs);
    let cases: &[(Code, &str, Change)] = &[
        (Code::InputWithoutEffect, "sensorImage", |i| {
            i.sensor_image = "sensor:1".into();
        }),
        (Code::InputMissing, "falconClientId", |i| {
            i.falcon_client_id.clear();
        }),
        (Code::InputMissing, "falconClientSecret", |i| {
            i.falcon_client_secret.clear();
        }),
        (Code::InputUnknownValue, "sensorVersion", |i| {
            i.sensor_version = "newest".into();
        }),
        (Code::InputUnknownValue, "falconRegion", |i| {
            i.falcon_region = "us-3".into();
        }),
        (Code::InputMalformed, "sensorMirror", |i| {
            i.sensor_mirror = "mirror/sensor:7".into();
        }),
        (Code::InputRegistryNotEcr, "sensorMirror", |i| {
            i.sensor_mirror = "ghcr.io/mirror".into();
        }),
        (Code::InputMalformed, "falconApiUrl", |i| {
            i.falcon_api_url = "http://api.example".into();
        }),
        (Code::InputMalformed, "falconApiUrl", |i| {
            i.falcon_api_url = "https://u:p@api.example".into();
        }),
        (Code::InputMalformed, "falconRegistry", |i| {
            i.falcon_registry = "http://registry.example".into();
        }),
        (Code::InputMalformed, "falconRegistry", |i| {
            i.falcon_registry = "registry.example/path".into();
        }),
        (Code::InputMalformed, "falconRegistry", |i| {
            i.falcon_registry = "registry".into();
        }),
    ];
    for (code, input, change) in cases {
        let mut inputs = from_crowdstrike();
        change(&mut inputs);
        let problem = read(&inputs).expect_err(input);
        assert_eq!(problem.code, *code, "{problem:?}");
        assert!(problem.what.contains(&format!("`{input}`")), "{problem:?}");
    }
    let unused: &[(&str, Change)] = &[
        ("sensorVersion", |i| {
            i.sensor_version = "7.39".into();
        }),
        ("sensorMirror", |i| {
            i.sensor_mirror = "mirror/sensor".into();
        }),
        ("falconRegistry", |i| {
            i.falcon_registry = "registry.example".into();
        }),
        ("falconRegion", |i| {
            i.falcon_region = "eu-1".into();
        }),
        ("falconApiUrl", |i| {
            i.falcon_api_url = "https://api.example".into();
        }),
    ];
    for (input, change) in unused {
        let (code, what, _) = refusal(change);
        assert_eq!(code, Code::InputWithoutEffect, "{what}");
        assert!(what.contains(input), "{what}");
    }
}

#[test]
fn addresses_on_this_machine_may_be_plain() {
    let config = read(&Inputs {
        falcon_api_url: "http://127.0.0.1:9000".into(),
        falcon_registry: "http://127.0.0.1:9001".into(),
        sensor_mirror: "mirror/sensor".into(),
        ..from_crowdstrike()
    })
    .unwrap();
    let api = config.falcon_api.unwrap();
    assert_eq!(api.registry.as_deref(), Some("127.0.0.1:9001"));
    let https = read(&Inputs {
        falcon_registry: "https://registry.example/".into(),
        ..from_crowdstrike()
    });
    let api = https.unwrap().falcon_api.unwrap();
    assert_eq!(api.registry.as_deref(), Some("registry.example"));
}
