//! The parameters of builds.

use super::{ECR, decided, granted};

/// As moby's Go client sends a build: every parameter that it knows, most of them empty.
const EMPTY: &str = "buildargs=%7B%7D&cachefrom=null&cgroupparent=&cpuperiod=0&cpuquota=0&cpusetcpus=&cpusetmems=&cpushares=0&dockerfile=&labels=null&memory=0&memswap=0&networkmode=default&rm=0&shmsize=0&target=&ulimits=null";

#[test]
fn a_build_is_made_anew_from_the_target_alone() {
    let grant = granted();
    let t = "t=falcon-patch.invalid%2F1%3Apatched";
    let ours =
        format!("version=2&{t}&dockerfile=Dockerfile&platform=linux%2Farm64&networkmode=none&rm=1");
    for (query, expected) in [
        (format!("{t}&version=2"), ours.clone()),
        (format!("{t}&version=2&{EMPTY}"), ours.clone()),
        (
            format!("{t}&version=2&platform=linux/arm64&q=1&forcerm=1&rm=1"),
            ours.clone(),
        ),
        (
            format!("{t}&version=2&dockerfile=other/Dockerfile&buildid=x"),
            ours.clone(),
        ),
        (format!("{t}&version=2&networkmode=none"), ours.clone()),
        (
            format!("{t}&version=2&nocache=1"),
            format!("{ours}&nocache=1"),
        ),
        (
            format!("{t}&version=2&buildargs=%7B%22A%22:%22b%22%7D"),
            format!("{ours}&buildargs=%7B%22A%22%3A%22b%22%7D"),
        ),
    ] {
        let seen = decided(&format!("POST /v1.41/build?{query}"), &grant);
        assert_eq!(
            seen,
            Ok(format!("build /v1.41/build?{expected}")),
            "{query}"
        );
    }
}

#[test]
fn builds_that_are_refused() {
    let grant = granted();
    let t = "t=falcon-patch.invalid/1:patched";
    for (query, expected) in [
        (t.to_owned(), "`version=2`"),
        (format!("{t}&version=1"), "`version=2`"),
        (format!("{t}&version=3"), "`version=2`"),
        (format!("{t}&version=2&version=1"), "repeated"),
        ("version=2".to_owned(), "its name `t`"),
        ("version=2&t=nginx".to_owned(), "its name `t`"),
        (format!("version=2&t={ECR}/app/web:1"), "its name `t`"),
        (format!("version=2&{t}&t=nginx"), "repeated"),
        (format!("version=2&{t}&platform=linux/amd64"), "`platform`"),
        (format!("version=2&{t}&networkmode=host"), "`networkmode`"),
        (
            format!("version=2&{t}&networkmode=container:x"),
            "`networkmode`",
        ),
        (format!("version=2&{t}&q=maybe"), "`q`"),
        (
            format!("version=2&{t}&buildargs=%7B%22BUILDKIT_SYNTAX%22:%22e/f%22%7D"),
            "BUILDKIT_SYNTAX",
        ),
    ] {
        let refusal = decided(&format!("POST /build?{query}"), &grant).expect_err(&query);
        assert!(refusal.contains(expected), "{query}: {refusal}");
    }
    for parameter in [
        "remote=https://evil.example/x.git",
        "remote=client-session",
        "outputs=%5B%7B%22Type%22:%22local%22%7D%5D",
        "extrahosts=a:1.2.3.4",
        "session=x",
        "cachefrom=%5B%22evil%22%5D",
        "securityopt=seccomp%3Dunconfined",
        "cgroupparent=/",
        "memory=1",
        "memswap=-1",
        "cpushares=1",
        "ulimits=%5B%7B%7D%5D",
        "squash=1",
        "pull=1",
        "isolation=process",
        "labels=%7B%22a%22:%22b%22%7D",
        "target=build",
        "shmsize=1",
        "future=1",
    ] {
        let query = format!("POST /build?version=2&{t}&{parameter}");
        let refusal = decided(&query, &grant).expect_err(&query);
        let name = parameter.split('=').next().expect("a name");
        assert!(
            refusal.contains(&format!("`{name}` is not allowed")),
            "{query}: {refusal}"
        );
    }
}
