use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Builder, BuilderName, BuilderNameError};
use crate::adapters::buildx::Buildx;
use crate::domain::agent::{Agent, Origin};
use crate::report::code::Code;
use crate::report::problem::{Explain as _, Problem};

fn builder(temp: &Path, name: &str) -> Builder {
    let agent = Agent {
        identity: "agent".to_owned(),
        job: "job".to_owned(),
        temp_folder: temp.to_owned(),
        work_folder: temp.to_owned(),
        in_container_job: false,
        docker_host: None,
        origin: Origin::default(),
    };
    Builder::of_job(name.parse().expect("a name"), &agent)
}

/// An environment of one variable.
fn only<'a>(name: &'a str, value: &'a Path) -> impl Fn(&str) -> Option<OsString> + 'a {
    move |asked| (asked == name).then(|| value.as_os_str().to_owned())
}

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
fn names_are_those_that_buildx_accepts() {
    for (text, expected) in [
        ("arm64builder", Ok("arm64builder")),
        ("A.b_c-1", Ok("A.b_c-1")),
        ("1builder", Err(BuilderNameError::Malformed)),
        ("-x", Err(BuilderNameError::Malformed)),
        ("--use", Err(BuilderNameError::Malformed)),
        ("a/b", Err(BuilderNameError::Malformed)),
        ("a b", Err(BuilderNameError::Malformed)),
        ("", Err(BuilderNameError::Malformed)),
        ("default", Err(BuilderNameError::Reserved)),
        ("Default", Err(BuilderNameError::Reserved)),
    ] {
        let name = text.parse::<BuilderName>().map(|name| name.to_string());
        assert_eq!(name, expected.map(str::to_owned), "{text}");
    }
    assert!("a".repeat(129).parse::<BuilderName>().is_err());
}

#[test]
fn a_name_that_a_builder_of_the_user_has_is_refused_however_it_is_written() {
    let root = tempfile::tempdir().expect("a folder");
    let users = root.path().join("users/buildx");
    fs::create_dir_all(users.join("instances")).expect("a folder");
    fs::write(users.join("instances/arm64builder"), "{}").expect("a builder");
    let taken = builder(root.path(), "ARM64builder");
    let free = builder(root.path(), "another");
    let docker = root.path().join("users");
    for variable in [
        only("BUILDX_CONFIG", &users),
        only("DOCKER_CONFIG", &docker),
    ] {
        assert!(free.refuse_taken(&variable).is_ok());
        let problem: Problem = taken.refuse_taken(&variable).expect_err("a refusal").into();
        assert_eq!(problem.code, Code::EngineBuilderTaken);
        assert_eq!(
            problem.why,
            [format!("it is kept in `{}`", users.display())]
        );
    }
}

#[test]
fn the_builder_of_an_earlier_step_is_found_and_not_taken_for_the_users() {
    let root = tempfile::tempdir().expect("a folder");
    let builder = builder(root.path(), "Arm64");
    assert!(!builder.is_made());
    fs::create_dir_all(builder.folder.join("instances")).expect("a folder");
    fs::write(builder.folder.join("instances/arm64"), "{}").expect("a builder");
    assert!(builder.is_made());
    let ours = only("BUILDX_CONFIG", &builder.folder);
    assert!(builder.refuse_taken(ours).is_ok());
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
    assert_eq!(problem.what, "The buildx builder `arm64` could not be made");
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
