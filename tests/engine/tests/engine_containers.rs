//! Containers of a real engine, and what is left when their run is cut off.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use falcon_patch_core::{
    Bind, Code, ContainerSpec, EngineError, Event, Events, Explain as _, LABEL_RUN, Mountable,
    Network, Platform, Removal, names_exec_format_error,
};
use falcon_patch_engine_tests::engine_lab::{Lab, command, recorded};

/// A container of the sensor image for this machine or for ARM64, which runs a script.
async fn spec(lab: &Lab, name: &str, script: &str) -> Result<ContainerSpec> {
    let image = lab.pulled("containersensor", "7.39.0-7802").await?;
    Ok(ContainerSpec {
        name: format!("engine-test-{name}"),
        image,
        platform: Platform::linux_arm64(),
        command: vec!["-c".to_owned(), script.to_owned()],
        entrypoint: Some(vec!["/bin/sh".to_owned()]),
        user: Some("0:0".to_owned()),
        binds: Vec::new(),
        network: Network::None,
        privileged: false,
        labels: vec![(LABEL_RUN.to_owned(), name.to_owned())],
        env: vec![("GREETING".to_owned(), "hello".to_owned())],
        limit: Duration::from_mins(1),
    })
}

async fn is_left(lab: &Lab, name: &str) -> Result<bool> {
    Ok(!lab
        .engine
        .containers_with(&[(LABEL_RUN, name)])
        .await?
        .is_empty())
}

#[tokio::test]
async fn every_line_of_both_streams_arrives_and_the_container_is_gone() -> Result<()> {
    let lab = Lab::enter()?;
    let script = "echo \"$GREETING $(uname -m)\"; echo 1>&2 trouble; i=0; while [ $i -lt 3000 ]; do echo line $i; i=$((i + 1)); done; printf end; exit 3";
    let spec = spec(&lab, "lines", script).await?;
    let (events, seen) = recorded();
    let end = lab.engine.run(&spec, &events).await?;
    assert_eq!((end.exit_code, end.oom_killed), (3, false));
    assert_eq!(end.last_lines.last().map(String::as_str), Some("end"));
    assert_eq!(end.last_lines.len(), 200);
    let seen = seen();
    let lines: Vec<_> = seen
        .iter()
        .filter_map(|event| match event {
            Event::Output { line, .. } => Some(line.as_str()),
            _ => None,
        })
        .collect();
    assert!(
        lines.contains(&"hello aarch64") && lines.contains(&"trouble"),
        "{lines:?}"
    );
    assert_eq!(
        lines
            .iter()
            .filter(|line| line.starts_with("line "))
            .count(),
        3000
    );
    assert!(!is_left(&lab, "lines").await?);
    Ok(())
}

#[tokio::test]
async fn the_first_line_of_a_short_run_is_never_lost() -> Result<()> {
    let lab = Lab::enter()?;
    let spec = spec(&lab, "short", "echo once").await?;
    let (events, _) = recorded();
    for _ in 0..10 {
        assert_eq!(lab.engine.run(&spec, &events).await?.last_lines, ["once"]);
    }
    Ok(())
}

#[tokio::test]
async fn a_container_sees_what_is_bound_and_no_network() -> Result<()> {
    let lab = Lab::enter()?;
    let folder = std::path::PathBuf::from(std::env::var("LAB_TMP")?).join("bound:with colon");
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("file"), "bound\n")?;
    let mut spec = spec(
        &lab,
        "bound",
        "cat /bound/file; touch /bound/x; cat /proc/net/route | wc -l",
    )
    .await?;
    let bind = |source| Bind {
        source,
        target: "/bound".to_owned(),
        read_only: true,
    };
    spec.binds = vec![bind(folder.clone())];
    let (events, _) = recorded();
    let lines = lab.engine.run(&spec, &events).await?.last_lines;
    assert!(lines.contains(&"bound".to_owned()), "{lines:?}");
    assert!(
        lines.iter().any(|line| line.contains("Read-only")),
        "{lines:?}"
    );
    assert!(
        lines.contains(&"1".to_owned()),
        "only the head of the table: {lines:?}"
    );

    spec.binds = vec![bind(folder.join("absent"))];
    let error = lab
        .engine
        .run(&spec, &events)
        .await
        .expect_err("no such folder");
    assert_eq!(error.code(), Code::EnginePathsNotShared);
    assert!(!folder.join("absent").exists(), "the engine made no folder");
    Ok(())
}

#[tokio::test]
async fn a_container_that_takes_too_long_is_stopped_and_removed() -> Result<()> {
    let lab = Lab::enter()?;
    let mut spec = spec(&lab, "slow", "trap '' TERM; while :; do sleep 1; done").await?;
    spec.limit = Duration::from_secs(2);
    let (events, _) = recorded();
    let started = Instant::now();
    let error = lab.engine.run(&spec, &events).await.expect_err("too slow");
    assert!(
        matches!(error, EngineError::ContainerTooSlow { .. }),
        "{error:?}"
    );
    assert!(started.elapsed() < Duration::from_secs(6));
    assert!(!is_left(&lab, "slow").await?);
    Ok(())
}

#[tokio::test]
async fn wherever_a_run_is_cut_off_removal_by_name_leaves_nothing() -> Result<()> {
    let lab = Lab::enter()?;
    let spec = spec(&lab, "cut", "trap '' TERM; while :; do sleep 1; done").await?;
    let (events, _) = recorded();
    for delay in [0, 1, 3, 5, 10, 20, 40, 80, 200, 600] {
        let run = lab.engine.run(&spec, &events);
        let cut = tokio::time::timeout(Duration::from_millis(delay), run).await;
        assert!(cut.is_err(), "it never ends by itself");
        let started = Instant::now();
        lab.engine.remove_container(&spec.name).await?;
        assert!(
            started.elapsed() < Duration::from_secs(4),
            "{delay} ms: {:?}",
            started.elapsed()
        );
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(!is_left(&lab, "cut").await?, "cut off after {delay} ms");
    }
    lab.engine.remove_container(&spec.name).await?;
    Ok(())
}

#[tokio::test]
async fn leftovers_are_found_by_all_of_their_labels() -> Result<()> {
    let lab = Lab::enter()?;
    let mut spec = spec(&lab, "left", "sleep 60").await?;
    spec.labels.push(("other".to_owned(), "x=y".to_owned()));
    let (events, _) = recorded();
    let run = lab.engine.run(&spec, &events);
    let cut = tokio::time::timeout(Duration::from_secs(2), run).await;
    assert!(cut.is_err());
    let find = async |labels: &[(&str, &str)]| lab.engine.containers_with(labels).await;
    let found = find(&[(LABEL_RUN, "left"), ("other", "x=y")]).await?;
    assert_eq!(found.len(), 1);
    let found = found.first().context("the container")?;
    assert_eq!(found.name, spec.name);
    assert!(
        find(&[(LABEL_RUN, "left"), ("other", "z")])
            .await?
            .is_empty()
    );

    let in_use = lab.engine.remove_image(&spec.image).await?;
    assert!(matches!(in_use, Removal::InUse { .. }), "{in_use:?}");
    lab.engine.remove_container(&found.id).await?;
    assert!(!is_left(&lab, "left").await?);
    Ok(())
}

#[tokio::test]
async fn programs_and_images_that_are_not_there() -> Result<()> {
    let lab = Lab::enter()?;
    let events = Events::silent().of_step(1);
    let good = spec(&lab, "absent", "true").await?;

    let mut other = good.clone();
    other.platform = Platform::linux("amd64");
    let error = lab
        .engine
        .run(&other, &events)
        .await
        .expect_err("another platform");
    let code = error.code();
    assert!(
        matches!(
            code,
            Code::EnginePlatformMissing | Code::EngineImageNotFound
        ),
        "{error:?}"
    );

    let mut other = good.clone();
    other.image = "engine-test/none:1".to_owned();
    let error = lab.engine.run(&other, &events).await.expect_err("no image");
    assert_eq!(error.code(), Code::EngineImageNotFound);

    let mut other = good.clone();
    other.entrypoint = Some(vec!["/none".to_owned()]);
    let error = lab
        .engine
        .run(&other, &events)
        .await
        .expect_err("no program");
    assert_eq!(error.code(), Code::EngineRequestFailed);
    assert!(!is_left(&lab, "absent").await?);
    Ok(())
}

#[tokio::test]
async fn a_program_of_no_architecture_is_recognized() -> Result<()> {
    let lab = Lab::enter()?;
    let file = std::path::PathBuf::from(std::env::var("LAB_TMP")?).join("program");
    // The beginning of a RISC-V program, for which the lab registers nothing.
    let mut program = b"\x7fELF\x02\x01\x01".to_vec();
    program.resize(64, 0);
    program[16..20].copy_from_slice(&[2, 0, 0xf3, 0]);
    std::fs::write(&file, program)?;
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&file, mode)?;
    let mut spec = spec(&lab, "foreign", "true").await?;
    spec.entrypoint = Some(vec!["/program".to_owned()]);
    spec.binds = vec![Bind {
        source: file,
        target: "/program".to_owned(),
        read_only: true,
    }];
    let (events, _) = recorded();
    match lab.engine.run(&spec, &events).await {
        Ok(end) => assert!(
            end.exit_code != 0 && names_exec_format_error(&end.last_lines),
            "{end:?}"
        ),
        Err(error) => assert_eq!(error.code(), Code::EmulationMissing, "{error:?}"),
    }
    Ok(())
}

#[tokio::test]
async fn the_engine_tells_what_it_can_mount_and_creates_nothing() -> Result<()> {
    let lab = Lab::enter()?;
    let shared = std::path::PathBuf::from(std::env::var("LAB_TMP")?).join("agent");
    std::fs::create_dir_all(&shared)?;
    let before = command("docker", &["ps", "--all", "--quiet"])?;
    let mounts = lab.engine.mounts(&shared).await;
    assert_eq!(mounts.agent_folder, Mountable::Yes);
    assert_eq!(
        mounts.engine_socket.as_deref(),
        Some("/run/docker.sock".as_ref())
    );
    // What is mounted here after the engine's start is not mounted there.
    let separate = std::path::PathBuf::from(std::env::var("LAB_TMP")?).join("agent-alone");
    std::fs::create_dir_all(&separate)?;
    let folder = separate.to_string_lossy().into_owned();
    command("mount", &["-t", "tmpfs", "tmpfs", &folder])?;
    let mounts = lab.engine.mounts(&separate).await;
    assert_eq!(mounts.agent_folder, Mountable::No);
    let mounts = lab.engine.mounts(&separate.join("none")).await;
    assert!(
        matches!(&mounts.agent_folder, Mountable::Unknown(why) if why.contains("agent-alone/none")),
        "{mounts:?}"
    );
    for folder in [&shared, &separate] {
        assert_eq!(std::fs::read_dir(folder)?.count(), 0, "nothing is left");
    }
    command("umount", &[&folder])?;
    let after = command("docker", &["ps", "--all", "--quiet"])?;
    assert_eq!(after, before);
    Ok(())
}
