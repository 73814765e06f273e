use crate::domain::falcon::region::Region;
use crate::flow::inputs::{FalconConnection, Inputs};
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::{CUSTOMER, inputs, read};

fn stored() -> FalconConnection {
    FalconConnection {
        client_id: "client".into(),
        client_secret: "hunter2".into(),
        customer_id: CUSTOMER.into(),
        region: "eu-1".into(),
        api_url: "https://api.example".into(),
        registry: "registry.example".into(),
    }
}

/// Inputs of a step that names a connection.
fn connected(stored: Option<FalconConnection>) -> Inputs {
    Inputs {
        falcon_connection: "5d0c".into(),
        stored_falcon: stored,
        falcon_cid: String::new(),
        ..inputs()
    }
}

fn refusal(inputs: &Inputs) -> Problem {
    read(inputs).expect_err("these inputs must be refused")
}

#[test]
fn a_connection_gives_every_setting() {
    let config = read(&Inputs {
        sensor_source: "crowdstrike".into(),
        sensor_image: String::new(),
        falcon_region: "auto".into(),
        ..connected(Some(stored()))
    })
    .unwrap();
    let api = config.falcon_api.unwrap();
    assert_eq!(api.client_id, "client");
    assert_eq!(api.client_secret.reveal(), "hunter2");
    assert_eq!(api.region, Some(Region::Eu1));
    assert_eq!(api.api_url.unwrap().as_str(), "https://api.example/");
    assert_eq!(api.registry.as_deref(), Some("registry.example"));
    assert!(config.falcon.customer_id.is_some());
}

#[test]
fn a_connection_may_hold_a_client_or_a_customer_id_alone() {
    let client = FalconConnection {
        customer_id: String::new(),
        ..stored()
    };
    let config = read(&connected(Some(client))).unwrap();
    assert!(config.falcon.customer_id.is_none() && config.falcon_api.is_some());
    let customer = FalconConnection {
        client_id: String::new(),
        client_secret: String::new(),
        ..stored()
    };
    let config = read(&connected(Some(customer))).unwrap();
    assert!(config.falcon.customer_id.is_some() && config.falcon_api.is_none());
}

#[test]
fn an_input_beside_the_connection_that_replaces_it_is_refused_by_both_names() {
    type Change = fn(&mut Inputs);
    let cases: [(&str, Change); 6] = [
        ("falconClientId", |i| i.falcon_client_id = "client".into()),
        ("falconClientSecret", |i| {
            i.falcon_client_secret = "hunter3".into();
        }),
        ("falconCid", |i| i.falcon_cid = CUSTOMER.into()),
        ("falconRegion", |i| i.falcon_region = "us-1".into()),
        ("falconApiUrl", |i| {
            i.falcon_api_url = "https://other.example".into();
        }),
        ("falconRegistry", |i| {
            i.falcon_registry = "other.example".into();
        }),
    ];
    for (name, change) in cases {
        let mut inputs = Inputs {
            sensor_source: "crowdstrike".into(),
            sensor_image: String::new(),
            ..connected(Some(stored()))
        };
        change(&mut inputs);
        let problem = refusal(&inputs);
        assert_eq!(problem.code, Code::InputWithoutEffect, "{problem:?}");
        for part in [name, "falconConnection"] {
            assert!(problem.what.contains(&format!("`{part}`")), "{problem:?}");
        }
        assert!(!format!("{problem:?}").contains("hunter"), "{problem:?}");
    }
}

#[test]
fn a_connection_that_is_missing_or_holds_too_little_has_a_code_of_its_own() {
    let part = |change: fn(&mut FalconConnection)| {
        let mut stored = stored();
        change(&mut stored);
        Some(stored)
    };
    let crowdstrike = |inputs: Inputs| Inputs {
        sensor_source: "crowdstrike".into(),
        sensor_image: String::new(),
        ..inputs
    };
    let half = part(|s| s.client_secret.clear());
    let customer = part(|s| {
        s.client_id.clear();
        s.client_secret.clear();
    });
    for (code, inputs) in [
        (Code::FalconConnectionMissing, connected(None)),
        (Code::FalconConnectionMissing, crowdstrike(connected(None))),
        (Code::FalconConnectionIncomplete, connected(half)),
        (
            Code::FalconConnectionIncomplete,
            crowdstrike(connected(customer)),
        ),
        (
            Code::FalconConnectionIncomplete,
            connected(Some(FalconConnection::default())),
        ),
    ] {
        let problem = refusal(&inputs);
        assert_eq!(problem.code, code, "{problem:?}");
        assert!(problem.why.is_empty(), "one problem: {problem:?}");
        assert!(problem.what.contains("`falconConnection`"), "{problem:?}");
    }
}

#[test]
fn a_wrong_value_of_a_connection_is_reported_with_its_field_and_every_other_problem() {
    let problem = refusal(&Inputs {
        emulation: "nevr".into(),
        ..connected(Some(FalconConnection {
            customer_id: "hunter2".into(),
            region: "us-3".into(),
            api_url: "http://api.example".into(),
            registry: "registry".into(),
            ..stored()
        }))
    });
    assert_eq!(problem.code, Code::InputInvalid);
    insta::assert_snapshot!(problem.what, @"5 inputs are invalid: `falconConnection, cloud`, `falconConnection, API URL`, `falconConnection, registry`, `falconConnection, customer ID`, `emulation`");
    assert!(!format!("{problem:?}").contains("hunter"), "{problem:?}");
}

#[test]
fn a_connection_that_a_variable_names_must_be_known() {
    let problem = refusal(&Inputs {
        falcon_connection: "$(CONNECTION)".into(),
        ..connected(None)
    });
    assert_eq!(problem.code, Code::InputUnresolvedVariable, "{problem:?}");
    assert!(problem.why.is_empty(), "{problem:?}");
}
