use crate::report::problem::Explain as _;
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::DockerConfig;
use crate::adapters::registry::credentials::error::SignInError;
use crate::domain::reference::repository::Repository;
use crate::domain::registry_login::RegistryLogin;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::report::secret::Secret;

/// The configuration of a folder that holds one file.
fn config(folder: &Path, file: &Value) -> DockerConfig {
    fs::write(folder.join("config.json"), file.to_string()).expect("a file");
    of_folder(folder)
}

fn of_folder(folder: &Path) -> DockerConfig {
    let folder = OsString::from(folder);
    DockerConfig::of_agent(move |name| (name == "DOCKER_CONFIG").then(|| folder.clone()))
}

fn password(user: &str, password: &str) -> RegistryLogin {
    let password = Secret::new(password);
    RegistryLogin::password(user, password)
}

async fn check(file: Value, registry: &str, expected: Option<RegistryLogin>) {
    let folder = tempfile::tempdir().expect("a folder");
    let (registry, name) = registry.split_once('/').unwrap_or((registry, "app/web"));
    let repository = Repository::new(registry, name);
    let found = config(folder.path(), &file).login(&repository).await;
    assert_eq!(found, Ok(expected), "{repository} in {file}");
}

fn ghcr() -> Repository {
    Repository::new("ghcr.io", "app/web")
}

#[tokio::test]
async fn an_entry_is_found_under_every_name_that_tools_give_it() {
    let auth = STANDARD.encode("ci:a:b");
    for (key, registry) in [
        ("ghcr.io", "ghcr.io"),
        ("https://ghcr.io", "ghcr.io"),
        ("https://ghcr.io/v2/", "ghcr.io"),
        ("registry.example:5000", "registry.example:5000"),
        ("https://index.docker.io/v1/", "docker.io"),
        ("docker.io", "docker.io"),
    ] {
        let file = json!({"auths": {key: {"auth": auth}}});
        check(file, registry, Some(password("ci", "a:b"))).await;
    }
    for (key, registry) in [
        ("ghcr.io", "evil-ghcr.io"),
        ("ghcr.io", "ghcr.io.evil.example"),
        ("registry.example:5000", "registry.example"),
        (
            "https://index.docker.io/v1/",
            "index.docker.io.evil.example",
        ),
    ] {
        check(json!({"auths": {key: {"auth": auth}}}), registry, None).await;
    }
}

#[tokio::test]
async fn of_several_entries_for_one_host_the_longest_that_fits_counts() {
    let entry = |user: &str| json!({"username": user, "password": "p"});
    let of_paths = json!({"auths": {
        "registry.gitlab.example/team-a/app": entry("a-app"),
        "registry.gitlab.example/team-a": entry("a"),
        "https://registry.gitlab.example/team-b/": entry("b"),
    }});
    let with_host = json!({"auths": {
        "registry.gitlab.example/team-a/app": entry("a-app"),
        "https://registry.gitlab.example/v2/": entry("address"),
        "registry.gitlab.example": entry("host"),
    }});
    let of_paths_alone = json!({"auths": {
        "registry.gitlab.example/team-a/app": {},
        "registry.gitlab.example/team-a": entry("a"),
    }});
    for (file, name, user) in [
        (&of_paths, "team-a/app", Some("a-app")),
        (&of_paths, "team-a/app/web", Some("a-app")),
        (&of_paths, "team-a/application", Some("a")),
        (&of_paths, "team-b/x", Some("b")),
        (&with_host, "team-a/app/web", Some("a-app")),
        (&with_host, "team-c/x", Some("host")),
        (&of_paths_alone, "team-a/app", Some("a")),
        (&of_paths_alone, "team-b/x", None),
    ] {
        let image = format!("registry.gitlab.example/{name}");
        check(file.clone(), &image, user.map(|user| password(user, "p"))).await;
    }
    let hub = json!({"auths": {
        "docker.io/team": entry("team"),
        "https://index.docker.io/v1/": entry("hub"),
    }});
    check(
        hub.clone(),
        "docker.io/team/web",
        Some(password("team", "p")),
    )
    .await;
    check(hub, "docker.io/library/nginx", Some(password("hub", "p"))).await;
}

#[tokio::test]
async fn an_empty_file_is_an_empty_object() {
    let folder = tempfile::tempdir().expect("a folder");
    for text in ["", " \n", "null", "{}"] {
        fs::write(folder.path().join("config.json"), text).expect("a file");
        assert_eq!(of_folder(folder.path()).login(&ghcr()).await, Ok(None));
    }
}

#[tokio::test]
async fn a_helper_that_fails_does_not_hide_an_entry_of_the_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = json!({
        "credsStore": "not-there",
        "auths": {"ghcr.io": {"username": "ci", "password": "p"}},
    });
    let found = config(folder.path(), &file).login(&ghcr()).await;
    assert_eq!(found, Ok(Some(password("ci", "p"))));
    let other = Repository::new("quay.io", "app/web");
    let error = of_folder(folder.path()).login(&other).await;
    assert_eq!(
        error.expect_err("a failure").code(),
        Code::RegistryCredentialHelperFailed
    );
}

#[tokio::test]
async fn entries_come_in_several_forms() {
    for (entry, expected) in [
        (
            json!({"username": "ci", "password": "pass"}),
            Some(password("ci", "pass")),
        ),
        (
            json!({"auth": STANDARD.encode("ci:pass\0\0")}),
            Some(password("ci", "pass")),
        ),
        (
            json!({"auth": STANDARD.encode("00000000-0000-0000-0000-000000000000:"), "identitytoken": "idt"}),
            Some(RegistryLogin::identity_token(Secret::new("idt"))),
        ),
        (json!({}), None),
        (json!({"auth": ""}), None),
        (Value::Null, None),
    ] {
        check(json!({"auths": {"ghcr.io": entry}}), "ghcr.io", expected).await;
    }
    check(
        json!({"auths": null, "credsStore": "", "other": 1}),
        "ghcr.io",
        None,
    )
    .await;
}

#[tokio::test]
async fn without_a_file_nobody_is_signed_in() {
    let folder = tempfile::tempdir().expect("a folder");
    let config = of_folder(&folder.path().join("missing"));
    assert_eq!(config.login(&ghcr()).await, Ok(None));
    let nowhere = DockerConfig::of_agent(|_| None);
    assert_eq!(nowhere.login(&ghcr()).await, Ok(None));
}

#[tokio::test]
async fn the_home_folder_is_looked_at_without_docker_config() {
    let home = tempfile::tempdir().expect("a folder");
    let docker = home.path().join(".docker");
    fs::create_dir(&docker).expect("a folder");
    config(
        &docker,
        &json!({"auths": {"ghcr.io": {"username": "ci", "password": "p"}}}),
    );
    let home = OsString::from(home.path());
    let config = DockerConfig::of_agent(move |name| match name {
        "HOME" => Some(home.clone()),
        "DOCKER_CONFIG" => Some(OsString::new()),
        _ => None,
    });
    assert_eq!(config.login(&ghcr()).await, Ok(Some(password("ci", "p"))));
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_a_failure_that_repeats_none_of_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.json");
    for text in [
        "{",
        r#"{"auths": {"ghcr.io": "top-secret"}}"#,
        r#"{"auths": {"ghcr.io": {"auth": "top-secret"}}}"#,
    ] {
        fs::write(&path, text).expect("a file");
        let error = of_folder(folder.path()).login(&ghcr()).await;
        let error = error.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryDockerConfigInvalid);
        assert!(!format!("{error:?}").contains("top-secret"), "{error:?}");
    }
}

#[tokio::test]
async fn a_helper_s_name_is_a_name_and_no_path() {
    for name in ["../evil", "/bin/sh", "a b", "a;b", "x\n"] {
        let folder = tempfile::tempdir().expect("a folder");
        let config = config(folder.path(), &json!({"credsStore": name}));
        let error = config.login(&ghcr()).await.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryCredentialHelperFailed);
        let SignInError::Helper { source, .. } = &error else {
            panic!("{error:?}")
        };
        assert!(source.to_string().contains("its name holds"), "{source}");
    }
}

/// A helper in a folder of its own; its path is what a name would be looked up to.
fn helper(folder: &Path, script: &str) -> String {
    let path = folder.join("docker-credential-test");
    fs::write(&path, format!("#!/bin/sh\n{script}\n")).expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("permissions");
    path.to_str().expect("a path").to_owned()
}

async fn ask(script: &str) -> Result<Option<RegistryLogin>, SignInError> {
    let folder = tempfile::tempdir().expect("a folder");
    let program = helper(folder.path(), script);
    crate::adapters::registry::credentials::helper::ask_program(&program, "ghcr.io").await
}

#[tokio::test]
async fn a_helper_is_given_the_registry_on_its_input() {
    let script = r#"read server; printf '{"ServerURL":"%s","Username":"%s-%s","Secret":"s"}' "$server" "$1" "$server""#;
    assert_eq!(ask(script).await, Ok(Some(password("get-ghcr.io", "s"))));
    let token = r#"echo '{"Username":"<token>","Secret":"idt"}'"#;
    let expected = RegistryLogin::identity_token(Secret::new("idt"));
    assert_eq!(ask(token).await, Ok(Some(expected)));
}

#[tokio::test]
async fn a_helper_that_has_nothing_leaves_it_at_that() {
    let script = "echo 'credentials not found in native keychain'; exit 1";
    assert_eq!(ask(script).await, Ok(None));
    assert_eq!(ask(r#"echo '{"Username":"","Secret":""}'"#).await, Ok(None));
}

#[tokio::test]
async fn a_helper_that_fails_is_a_failure_that_repeats_no_password() {
    for (script, words) in [
        ("echo 'no secret service' >&2; exit 3", "no secret service"),
        ("echo 'pass is locked'; exit 1", "pass is locked"),
        (
            r#"echo '{"Username":"u","Secret":"top-secret"'"#,
            "is not JSON",
        ),
    ] {
        let error = ask(script).await.expect_err("a failure");
        assert_eq!(error.code(), Code::RegistryCredentialHelperFailed);
        let said = format!("{error:?}");
        assert!(
            said.contains(words) && !said.contains("top-secret"),
            "{said}"
        );
    }
    let error = crate::adapters::registry::credentials::helper::ask_program(
        "docker-credential-not-there",
        "ghcr.io",
    )
    .await;
    assert!(error.is_err());
}

#[tokio::test]
async fn what_is_no_file_or_has_no_end_is_refused_and_the_limit_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("config.json");
    let refusal = || async {
        let refused = of_folder(folder.path()).login(&ghcr()).await;
        Problem::from(refused.expect_err("a refusal"))
    };
    for kind in ["pipe", "device", "long"] {
        match kind {
            "pipe" => {
                let made = std::process::Command::new("mkfifo").arg(&path).status();
                assert!(made.is_ok_and(|made| made.success()));
            }
            "device" => std::os::unix::fs::symlink("/dev/zero", &path).expect("a link"),
            _ => fs::write(&path, " ".repeat(4 * 1024 * 1024 + 1)).expect("a file"),
        }
        let problem = refusal().await;
        assert_eq!(problem.code, Code::RegistryDockerConfigInvalid, "{kind}");
        let expected = if kind == "long" {
            "it has more than 4194304 bytes"
        } else {
            "it is not a regular file"
        };
        assert_eq!(problem.why, [expected], "{kind}");
        fs::remove_file(&path).expect("removed");
    }
}
