use serde_json::{Value, json};

use super::Question;
use crate::domain::falcon::options::FalconOptions;
use crate::domain::reference::digest::Digest;
use crate::test_support::config::{CUSTOMER, falcon_options};

fn source() -> Value {
    json!({
        "variant": "v8", "os": "linux", "architecture": "arm64", "created": "2026-01-01T00:00:00Z",
        "config": {"Env": ["PATH=/bin"], "Cmd": ["web"], "Labels": {"commit": "0a1b2c"}},
        "rootfs": {"type": "layers", "diff_ids": ["sha256:a"]},
        "history": [{"created_by": "ADD"}],
    })
}

fn asked(source: &Value) -> Question {
    Question::new(source, &Digest::of(b"sensor"), &falcon_options())
}

#[test]
fn a_question_is_always_the_same_bytes_and_holds_no_secret() {
    let question = asked(&source());
    insta::assert_snapshot!(question.as_str(), @r#"{"config":{"Cmd":["web"],"Env":["PATH=/bin"]},"options":{"cloudService":"ECS_FARGATE","containerName":null,"digest":"sha256:4ffe196c2b9c1166c363f68d26798ff32bd92dbafb8f1144b8d15e6d51c54ac3","platform":"linux/arm64"},"packing":1,"platform":{"architecture":"arm64","os":"linux","variant":"v8"},"schema":1,"sensor":"sha256:ca73f61034afc26d96c85c0d2285e1f08b283b891426cef8c05eda5bf3e12ddf"}"#);
    insta::assert_snapshot!(question.tag(), @"falcon-graft-07c46f474cd6c0b051898327c611f142");
    for secret in [CUSTOMER, "A1B2C3D4", "provisioning"] {
        assert!(!question.as_str().contains(secret));
    }
}

#[test]
fn the_order_of_fields_the_labels_and_the_build_make_no_other_question() {
    let same = json!({
        "history": [], "architecture": "arm64", "created": "2026-02-02T00:00:00Z",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:b"]},
        "config": {"Labels": {"commit": "ffff"}, "Cmd": ["web"], "Env": ["PATH=/bin"]},
        "os": "linux", "variant": "v8",
    });
    assert_eq!(asked(&same), asked(&source()));
    let mut without = source();
    if let Some(config) = without["config"].as_object_mut() {
        config.remove("Labels");
    }
    assert_eq!(asked(&without), asked(&source()));
}

#[test]
fn everything_else_makes_another_question_and_is_named() {
    type Change = fn(&mut Value);
    type Options = fn(&mut FalconOptions);
    let sources: &[(&str, Change)] = &[
        ("the variable `COMMIT`", |s| {
            s["config"]["Env"] = json!(["PATH=/bin", "COMMIT=0a1b"]);
        }),
        ("the variable `PATH`", |s| {
            s["config"]["Env"] = json!(["PATH=/usr/bin"]);
        }),
        ("`Env` of the configuration", |s| {
            s["config"]["Env"] = json!(["PATH=/bin", "PATH=/bin"]);
        }),
        ("`Cmd` of the configuration", |s| {
            s["config"]["Cmd"] = json!(["other"]);
        }),
        ("`FromTheFuture` of the configuration", |s| {
            s["config"]["FromTheFuture"] = json!(null);
        }),
        ("the source's platform", |s| s["variant"] = json!("v9")),
    ];
    let question = asked(&source());
    for (name, change) in sources {
        let mut source = source();
        change(&mut source);
        let other = asked(&source);
        assert_ne!(other.tag(), question.tag(), "{name}");
        let named = question.differences(other.as_str());
        assert_eq!(named.as_deref(), Some(&[(*name).to_owned()][..]));
    }
    let told: &[Options] = &[
        |o| o.cloud_service = None,
        |o| o.container_name = Some("web".to_owned()),
        |o| o.falconctl_options = None,
        |o| o.customer_id = CUSTOMER.to_uppercase().parse().expect("an ID"),
    ];
    for change in told {
        let mut options = falcon_options();
        change(&mut options);
        let other = Question::new(&source(), &Digest::of(b"sensor"), &options);
        let named = question.differences(other.as_str()).expect("a question");
        assert_eq!(named, ["the options of falconutil"]);
    }
    let other = Question::new(&source(), &Digest::of(b"another"), &falcon_options());
    let named = question.differences(other.as_str()).expect("a question");
    assert_eq!(named, ["the sensor"]);
}

#[test]
fn what_is_no_question_differs_in_nothing_that_can_be_named() {
    for text in ["", "{", "null", "[]", r#"{"config":{}}"#] {
        assert_eq!(asked(&source()).differences(text), None, "{text}");
    }
}
