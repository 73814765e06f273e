use crate::report::problem::Explain as _;
use serde_json::{Value, json};

use super::{Evidence, prove};
use crate::domain::falcon::options::FalconOptions;
use crate::domain::platform::Platform;
use crate::report::code::Code;
use crate::report::secret::Secret;

const CID: &str = "0123456789abcdef0123456789abcdef-12";

fn options() -> FalconOptions {
    FalconOptions {
        customer_id: CID.parse().unwrap(),
        cloud_service: Some("ECS_FARGATE".to_owned()),
        container_name: Some("web".to_owned()),
        falconctl_options: Some(Secret::new("--tags=a,b --billing=metered")),
    }
}

fn source() -> Value {
    json!({
        "Entrypoint": ["/entry.sh"],
        "Cmd": ["nginx"],
        "Env": ["PATH=/bin", "LANG=C"],
        "User": "www",
        "WorkingDir": "/srv",
        "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "true"], "Interval": 5_000_000_000_u64},
        "Labels": {"team": "web"},
        "OnBuild": ["RUN true"],
        "Image": "sha256:parent",
        "UnknownToday": 7
    })
}

fn patched() -> Value {
    let mut config = source();
    config["Entrypoint"] = json!([
        crate::domain::falcon::options::FALCON_ENTRYPOINT,
        "/entry.sh"
    ]);
    config["Env"] = json!([
        "PATH=/bin",
        "LANG=C",
        format!("FALCONCTL_OPTS=--cid={CID} --tags=a,b --billing=metered"),
        "CS_CLOUD_SERVICE=ECS_FARGATE",
        "CS_CONTAINER=web",
        "__CS_FALCON_SENSOR_ROOT=/opt/CrowdStrike/rootfs"
    ]);
    config.as_object_mut().unwrap().remove("OnBuild");
    // Engines write out what says nothing.
    config["Hostname"] = json!("");
    config["Tty"] = json!(false);
    config["Volumes"] = json!(null);
    config["Image"] = json!("");
    config
}

fn layers(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn check(
    platform: &Platform,
    diff_ids: &[&str],
    config: &Value,
) -> Result<Vec<String>, (Code, String)> {
    let (source_layers, patched_layers) = (layers(&["a", "b"]), layers(diff_ids));
    let source_config = source();
    let before = Evidence {
        platform: &Platform::linux_arm64(),
        diff_ids: &source_layers,
        config: &source_config,
    };
    let after = Evidence {
        platform,
        diff_ids: &patched_layers,
        config,
    };
    prove(before, after, &options()).map_err(|error| {
        let why = std::error::Error::source(&error)
            .expect("a deviation has its reason")
            .to_string();
        (error.code(), why)
    })
}

#[test]
fn the_source_with_the_sensor_is_proven() {
    assert_eq!(
        check(&Platform::linux_arm64(), &["a", "b", "c"], &patched()),
        Ok(vec![])
    );
    assert_eq!(
        check(&Platform::linux_arm64(), &["a", "b", "c", "d"], &patched()),
        Ok(vec![])
    );
}

#[test]
fn a_variable_or_label_more_is_told_and_accepted() {
    let mut config = patched();
    config["Env"]
        .as_array_mut()
        .unwrap()
        .push(json!("CS_NEW=1"));
    config["Labels"]["com.crowdstrike.new"] = json!("1");
    let more = check(&Platform::linux_arm64(), &["a", "b", "c"], &config).unwrap();
    assert_eq!(
        more,
        ["the variable `CS_NEW`", "the label `com.crowdstrike.new`"]
    );
}

#[test]
fn an_image_that_nothing_happened_to_is_told_apart() {
    let arm64 = Platform::linux_arm64();
    assert_eq!(
        check(&arm64, &["a", "b"], &source()).unwrap_err().0,
        Code::FalconutilNoEffect
    );
    assert_eq!(
        check(&arm64, &["a", "b", "c"], &source()).unwrap_err().0,
        Code::FalconutilNoEffect
    );
}

#[test]
fn layers_and_platform_have_to_fit() {
    let unexpected = |platform: &Platform, layers: &[&str], text: &str| {
        let (code, why) = check(platform, layers, &patched()).unwrap_err();
        assert_eq!(
            (code, why.as_str()),
            (Code::FalconutilResultUnexpected, text)
        );
    };
    unexpected(
        &Platform::linux("amd64"),
        &["a", "b", "c"],
        "its platform is linux/amd64, not linux/arm64",
    );
    unexpected(
        &Platform::linux_arm64(),
        &["a", "x", "c"],
        "its first layers are not the source's",
    );
    unexpected(
        &Platform::linux_arm64(),
        &["a"],
        "its first layers are not the source's",
    );
}

#[test]
fn every_field_has_to_survive() {
    type Change = fn(&mut Value);
    let cases: &[(&str, Change)] = &[
        ("`Cmd` of its configuration is not the source's", |c| {
            c["Cmd"] = json!(null);
        }),
        ("`User` of its configuration is not the source's", |c| {
            c["User"] = json!("root");
        }),
        (
            "`WorkingDir` of its configuration is not the source's",
            |c| c["WorkingDir"] = json!("/"),
        ),
        (
            "`ExposedPorts` of its configuration is not the source's",
            |c| c["ExposedPorts"]["443/tcp"] = json!({}),
        ),
        (
            "`Healthcheck` of its configuration is not the source's",
            |c| c["Healthcheck"]["Interval"] = json!(1),
        ),
        (
            "`StopSignal` of its configuration is not the source's",
            |c| c["StopSignal"] = json!("SIGQUIT"),
        ),
        ("`Volumes` of its configuration is not the source's", |c| {
            c["Volumes"] = json!({"/data": {}});
        }),
        (
            "`UnknownToday` of its configuration is not the source's",
            |c| c["UnknownToday"] = json!(8),
        ),
        ("its label `team` is not the source's", |c| {
            c["Labels"] = json!({});
        }),
        ("its variable `PATH` is not the source's", |c| {
            c["Env"][0] = json!("PATH=/sbin");
        }),
        ("its variable `LANG` is not the source's", |c| {
            let list = c["Env"].as_array_mut().unwrap();
            list.push(json!("LANG=en"));
        }),
        ("its variable `PATH` is not the source's", |c| {
            c["Env"].as_array_mut().unwrap().swap(0, 1);
        }),
        ("its variable `LANG` is not the source's", |c| {
            c["Env"].as_array_mut().unwrap().remove(1);
        }),
        (
            "its variable `CS_CONTAINER` is there several times, with different values",
            |c| {
                let list = c["Env"].as_array_mut().unwrap();
                list.push(json!("CS_CONTAINER=api"));
            },
        ),
        (
            "its variable `CS_CLOUD_SERVICE` is not `ECS_FARGATE`",
            |c| c["Env"][3] = json!("CS_CLOUD_SERVICE=ACI"),
        ),
        ("its variable `CS_CONTAINER` is not `web`", |c| {
            c["Env"][4] = json!("X=1");
        }),
        (
            "its variable `__CS_FALCON_SENSOR_ROOT` is not `/opt/CrowdStrike/rootfs`",
            |c| c["Env"][5] = json!("X=1"),
        ),
        (
            "its variable `FALCONCTL_OPTS` does not hold the customer ID",
            |c| c["Env"][2] = json!("FALCONCTL_OPTS=--tags=a,b --billing=metered"),
        ),
        (
            "its variable `FALCONCTL_OPTS` does not hold the customer ID",
            |c| {
                c["Env"][2] = json!(format!(
                    "FALCONCTL_OPTS=--cid={CID} --cid=other --tags=a,b --billing=metered"
                ));
            },
        ),
        (
            "its variable `FALCONCTL_OPTS` does not hold every option of `falconctlOptions`",
            |c| {
                c["Env"][2] = json!(format!(
                    "FALCONCTL_OPTS=--cid={CID} --tags=a,bc --billing=metered"
                ));
            },
        ),
        (
            "its variable `FALCONCTL_OPTS` does not hold every option of `falconctlOptions`",
            |c| c["Env"][2] = json!(format!("FALCONCTL_OPTS=--cid={CID} --tags=a,b")),
        ),
    ];
    for (expected, change) in cases {
        let mut config = patched();
        change(&mut config);
        let (code, why) = check(&Platform::linux_arm64(), &["a", "b", "c"], &config).unwrap_err();
        assert_eq!(
            (code, why.as_str()),
            (Code::FalconutilResultUnexpected, *expected)
        );
        assert!(!why.contains(CID));
    }
}

#[test]
fn another_entrypoint_is_refused() {
    let mut config = patched();
    config["Entrypoint"] = json!([crate::domain::falcon::options::FALCON_ENTRYPOINT]);
    let (code, _) = check(&Platform::linux_arm64(), &["a", "b", "c"], &config).unwrap_err();
    assert_eq!(code, Code::FalconutilResultUnexpected);
}
