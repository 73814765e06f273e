//! The changes that falconutil may make to a configuration, and those that it may not.

use serde_json::{Value, json};

use crate::domain::assembly::change::Change;

fn before() -> Value {
    json!({
        "Entrypoint": ["/entry"], "Cmd": ["web"], "User": "101",
        "Env": ["PATH=/usr/bin", "APP_DIR=/w", "PATH=/cnb/process:/usr/bin", "CS_CONTAINER=own"],
        "Labels": {"team": "web"}, "MacAddress": "02:42:ac:11:00:02", "NetworkDisabled": true,
        "Volumes": {"/x": null}, "ExposedPorts": {"80/tcp": null},
        "Healthcheck": {"Test": ["CMD", "true"], "StartPeriod": 0}, "FromTheFuture": {"kept": true},
    })
}

/// The same as `BuildKit` leaves it behind: one variable of each name, and no field that it does not know.
fn after() -> Value {
    json!({
        "Entrypoint": ["/falcon", "/entry"], "Cmd": ["web"], "User": "101",
        "Env": ["PATH=/cnb/process:/usr/bin", "APP_DIR=/w", "CS_CONTAINER=web", "FALCONCTL_OPTS=--cid=1"],
        "Labels": {"team": "web"}, "Volumes": {"/x": {}}, "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "true"]}, "Image": "sha256:1", "ArgsEscaped": true,
    })
}

fn applied(before: &Value, after: &Value) -> Value {
    let change = Change::between(before, after).expect("a change");
    let mut config = before.clone();
    change.apply(&mut config);
    config
}

#[test]
fn a_builder_that_drops_and_fills_in_changes_nothing_of_the_source() {
    let mut expected = before();
    expected["Entrypoint"] = json!(["/falcon", "/entry"]);
    expected["Env"] = json!([
        "PATH=/usr/bin",
        "APP_DIR=/w",
        "PATH=/cnb/process:/usr/bin",
        "CS_CONTAINER=web",
        "FALCONCTL_OPTS=--cid=1",
    ]);
    assert_eq!(applied(&before(), &after()), expected);
}

#[test]
fn additions_of_falconutil_are_kept() {
    let mut patched = after();
    patched["Env"]
        .as_array_mut()
        .expect("a list")
        .push(json!("CS_NEW=1"));
    patched["Labels"]["falcon"] = json!("yes");
    let config = applied(&before(), &patched);
    assert_eq!(config["Env"][5], "CS_NEW=1");
    assert_eq!(config["Labels"], json!({"team": "web", "falcon": "yes"}));
}

#[test]
fn a_source_without_labels_or_configuration_gets_what_falconutil_sets() {
    let after = json!({"Entrypoint": ["/falcon"], "Env": ["A=1"], "Labels": {"falcon": "yes"}});
    let change = Change::between(&Value::Null, &after).expect("a change");
    let mut config = Value::Null;
    change.apply(&mut config);
    assert_eq!(config, after);
}

#[test]
fn a_change_of_the_sources_own_configuration_is_refused() {
    type Edit = fn(&mut Value);
    let cases: &[(&str, Edit)] = &[
        ("`User`", |c| c["User"] = json!("0")),
        ("`Cmd`", |c| c["Cmd"] = json!(["other"])),
        ("`WorkingDir`", |c| c["WorkingDir"] = json!("/tmp")),
        ("`Volumes`", |c| {
            c["Volumes"] = json!({"/x": {}, "/opt": {}});
        }),
        ("`ExposedPorts`", |c| {
            c["ExposedPorts"] = json!({"81/tcp": {}});
        }),
        ("`Healthcheck`", |c| {
            c["Healthcheck"]["StartPeriod"] = json!(5);
        }),
        ("`Healthcheck`", |c| {
            c["Healthcheck"]["Test"] = json!(["NONE"]);
        }),
        ("label `team`", |c| c["Labels"]["team"] = json!("other")),
        ("label `team`", |c| c["Labels"] = Value::Null),
        ("variable `APP_DIR`", |c| {
            c["Env"][1] = json!("APP_DIR=/elsewhere");
        }),
        ("variable `PATH`", |c| c["Env"][0] = json!("PATH=/tmp")),
        ("variable `APP_DIR`", |c| {
            c["Env"] = json!(["PATH=/usr/bin"]);
        }),
    ];
    for (named, edit) in cases {
        let mut patched = after();
        edit(&mut patched);
        let why = Change::between(&before(), &patched).expect_err(named);
        assert!(why.to_string().contains(named), "{named}: {why}");
    }
}
