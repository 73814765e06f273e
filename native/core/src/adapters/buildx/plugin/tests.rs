use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::Buildx;
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};
use crate::test_support::builder::{builder, only};

/// Puts a program in the place of the plugin, in the folder of a user's own plugins.
fn plugin(users: &Path, script: &str) -> Buildx {
    let folder = users.join("cli-plugins");
    fs::create_dir_all(&folder).expect("a folder");
    let program = folder.join("docker-buildx");
    fs::write(&program, format!("#!/bin/sh\n{script}\n")).expect("a program");
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).expect("an executable");
    Buildx::find(only("DOCKER_CONFIG", users)).expect("the plugin")
}

#[test]
fn without_the_plugin_the_problem_says_where_it_was_looked_for() {
    let root = tempfile::tempdir().expect("a folder");
    // Where the machine of the test has the plugin, that one is found.
    match Buildx::find(only("DOCKER_CONFIG", root.path())) {
        Ok(found) => assert!(format!("{found:?}").contains("/cli-plugins/docker-buildx")),
        Err(error) => {
            assert_eq!(error.code(), Code::EngineBuildxMissing);
            let problem: Problem = error.into();
            assert!(problem.why[0].contains("/usr/libexec/docker/cli-plugins"));
            assert!(
                problem
                    .hint
                    .expect("a hint")
                    .contains("docker-buildx-plugin")
            );
        }
    }
}

#[tokio::test]
async fn the_plugin_gets_its_own_folders_and_nothing_else_of_the_environment() {
    let root = tempfile::tempdir().expect("a folder");
    let said = root.path().join("said");
    let buildx = plugin(
        root.path(),
        &format!(
            "{{ echo \"$@\"; /usr/bin/env | /usr/bin/sort; }} > {}",
            said.display()
        ),
    );
    let builder = builder(root.path(), "arm64");
    let created = buildx.create(&builder, "node", "unix:///var/run/docker.sock");
    created.await.expect("it succeeds");
    let said = fs::read_to_string(said).expect("what it was given");
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!(
        lines[0],
        "create --name arm64 --node node --driver docker-container --platform linux/arm64 unix:///var/run/docker.sock"
    );
    let mut names: Vec<&str> = lines[1..]
        .iter()
        .filter_map(|line| line.split('=').next())
        .collect();
    // The shell adds these by itself.
    names.retain(|name| !["_", "PWD", "SHLVL", "OLDPWD"].contains(name));
    assert_eq!(names, ["BUILDX_CONFIG", "DOCKER_CONFIG", "PATH"]);
    assert!(said.contains(&format!("BUILDX_CONFIG={}", builder.folder.display())));
}

#[tokio::test]
async fn what_buildx_says_is_the_cause() {
    let root = tempfile::tempdir().expect("a folder");
    let builder = builder(root.path(), "arm64");
    let buildx = plugin(root.path(), "echo 'ERROR: no engine' >&2; exit 1");
    let created = buildx.create(&builder, "node", "unix:///none").await;
    let problem: Problem = created.expect_err("a failure").into();
    assert_eq!(problem.code, Code::EngineBuilderFailed);
    assert_eq!(
        problem.what,
        "The buildx builder `arm64` could not be created"
    );
    assert_eq!(problem.why, ["no engine"]);

    let buildx = plugin(root.path(), "echo 'Platforms: linux/amd64'");
    let inspected = buildx.inspect(&builder).await;
    let problem: Problem = inspected.expect_err("a failure").into();
    assert!(
        problem.why[0].contains("does not build for linux/arm64"),
        "{problem:?}"
    );

    let buildx = plugin(root.path(), "exit 3");
    let problem: Problem = buildx.version().await.expect_err("a failure").into();
    assert_eq!(problem.code, Code::EngineBuildxMissing);

    let buildx = plugin(root.path(), "echo 'github.com/docker/buildx v0.29.1 abc'");
    assert_eq!(buildx.version().await.expect("a version"), "v0.29.1");
}
