use std::collections::HashMap;

use proptest::prelude::Strategy as _;
use proptest::prop_assert;
use proptest::sample::select;
use serde_json::Value;

use super::read::Config;
use crate::flow::inputs::{AwsContext, Inputs};
use crate::test_support::config::CUSTOMER;
use crate::test_support::fuzz::{changed_text, fuzz};

const SECRET: &str = "S3CR3T-VALUE";

/// The inputs that hold it.
const SECRETS: [&str; 4] = [
    "falconClientSecret",
    "awsSecretAccessKey",
    "awsSessionToken",
    "falconctlOptions",
];

/// The names of the inputs of task.json that are not for the form alone.
fn names() -> Vec<String> {
    let task: Value =
        serde_json::from_str(include_str!("../../../../../task/task.json")).expect("JSON");
    let inputs = task["inputs"].as_array().expect("a list").iter();
    let recorded: Value = serde_json::from_str(include_str!(
        "../../../../../tests/package/input-names.json"
    ))
    .expect("JSON");
    let form = recorded["formNames"].as_array().expect("a list");
    inputs
        .filter(|input| !form.contains(&input["name"]))
        .map(|input| input["name"].as_str().expect("a name").to_owned())
        .collect()
}

/// Good inputs, with secrets in the places of secrets.
fn record(action: &str) -> HashMap<String, String> {
    let host = "123456789012.dkr.ecr.eu-west-1.amazonaws.com";
    let mut record: HashMap<String, String> = names()
        .into_iter()
        .map(|name| (name, String::new()))
        .collect();
    for (name, value) in [
        ("action", action),
        ("sourceImage", &format!("{host}/app/web:1")),
        ("targetImage", &format!("{host}/app/web:1-falcon")),
        ("sensorImage", &format!("{host}/sensor:7")),
        ("falconCid", CUSTOMER),
        ("falconClientSecret", SECRET),
        ("awsSecretAccessKey", SECRET),
        ("awsSessionToken", SECRET),
        ("falconctlOptions", &format!("--tags={SECRET}")),
    ] {
        record.insert(name.to_owned(), value.to_owned());
    }
    record
}

#[test]
fn inputs_of_any_form_are_read_or_refused_and_no_secret_is_shown() {
    let samples = [
        "true",
        "auto",
        "graft",
        "7.39.0-7802",
        "alias/x",
        "arn:aws:iam::123456789012:role/x",
        "a/b:1",
        "eu-west-1",
        "sha256:4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945",
    ];
    let pieces = [
        "$(X)",
        "$(a.b)",
        "\n",
        "\0",
        "\u{202e}",
        "'",
        "\"",
        "/",
        ":",
        "@",
        ",",
        "-----BEGIN ",
        "-----END ",
        "é",
        " ",
    ];
    let action = select(vec!["patch", "plan", "verify"]);
    let cases = (
        action,
        select(names()),
        select(names()),
        changed_text(&samples, &pieces),
        changed_text(&samples, &pieces),
    )
        .prop_map(|(action, first, second, one, other)| {
            let mut record = record(action);
            for (name, text) in [(first, one), (second, other)] {
                let is_secret = SECRETS.contains(&name.as_str());
                let text = if is_secret {
                    format!("{SECRET}{text}")
                } else {
                    text
                };
                record.insert(name, text);
            }
            record
        });
    fuzz("inputs", &cases, |record| {
        let inputs = Inputs::from_record(record, Vec::new(), AwsContext::default(), None)
            .expect("the known names");
        let read = Config::from_inputs(&inputs);
        let shown = format!("{read:?}");
        prop_assert!(!shown.contains(SECRET), "{}", shown);
        if let Err(problem) = read {
            let text = [vec![problem.what], problem.why].concat().join(" ");
            prop_assert!(!text.contains(SECRET), "{}", text);
        }
        Ok(())
    });
}
