//! The stand-in falconutil patches through our socket, with no registry token of its own.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result};
use falcon_patch_core::{
    Access, Bind, ContainerSpec, Engine, EngineSettings, EngineSocket, Grant, GrantedImage,
    LABEL_RUN, Network, Platform, Store,
};
use falcon_patch_engine_tests::engine_lab::{Lab, digest, recorded};

#[tokio::test]
async fn falconutil_patches_and_pulls_through_the_filter_without_a_token() -> Result<()> {
    patches(Access::Filtered).await
}

#[tokio::test]
async fn falconutil_patches_and_pulls_with_direct_access_without_a_token() -> Result<()> {
    patches(Access::Direct).await
}

/// The grant of one run, with logins for both images.
fn grant(lab: &Lab, source: &str, sensor: &str, target: &str) -> Result<Grant> {
    Ok(Grant {
        source: GrantedImage::new(source, Some(lab.auth()))?,
        sensor: GrantedImage::new(sensor, Some(lab.auth()))?,
        target: GrantedImage::new(target, None)?,
    })
}

async fn patches(access: Access) -> Result<()> {
    let lab = Lab::enter()?;
    let source = lab.repository("app/web");
    // The variant that pulls in spite of IfNotPresent; the source is not pulled beforehand, so its pull is a real one.
    let sensor_image = lab.pulled("containersensor", "7.39.0-7802-pulls").await?;
    let source_image = source.at(&digest("app/web", "1.4.2")?);
    let target = format!("falcon-patch.invalid/1:{access:?}").to_lowercase();
    let grant = grant(&lab, &source_image, &sensor_image, &target)?;
    let folder = PathBuf::from(std::env::var("LAB_TMP")?)
        .join(format!("socket-{access:?}-{}", "x".repeat(90)));
    let socket = EngineSocket::open(&lab.engine, &folder, grant, access)?;
    let command = [
        "falconutil",
        "patch-image",
        "--source-image-uri",
        &source_image,
        "--target-image-uri",
        &target,
        "--falcon-image-uri",
        &sensor_image,
        "--cid",
        "0123456789ABCDEF0123456789ABCDEF-01",
        "--image-pull-policy",
        "IfNotPresent",
        "--platform",
        "linux/arm64",
    ];
    let spec = ContainerSpec {
        name: format!("engine-test-falconutil-{access:?}"),
        image: sensor_image.clone(),
        platform: Platform::linux_arm64(),
        command: command.map(str::to_owned).to_vec(),
        entrypoint: None,
        user: Some("0:0".to_owned()),
        binds: vec![Bind {
            source: socket.path(),
            target: "/var/run/docker.sock".to_owned(),
            read_only: true,
        }],
        network: Network::None,
        privileged: false,
        labels: vec![(LABEL_RUN.to_owned(), "falconutil".to_owned())],
        env: Vec::new(),
        limit: Duration::from_mins(3),
    };
    let (events, _) = recorded();
    let end = lab.engine.run(&spec, &events).await?;
    let facts = lab.engine.facts().await?;
    if facts.store == Store::Containerd && lab.major_version().await? < 28 {
        // That engine cannot build from a context in the request's body, whichever socket it comes through
        // (https://github.com/moby/buildkit/issues/5623); what counts here is that both pulls came through.
        let is_known = |line: &String| line.contains("failed to read downloaded context");
        assert!(end.last_lines.iter().any(is_known), "{:#?}", end.last_lines);
        return Ok(());
    }
    assert_eq!(end.exit_code, 0, "{:#?}", end.last_lines);
    assert!(socket.refused().is_empty(), "{:#?}", socket.refused());
    let image = lab
        .engine
        .image(&target)
        .await?
        .context("the patched image")?;
    assert_eq!(image.platform, Platform::linux_arm64());
    assert_eq!(image.platforms, [Platform::linux_arm64()]);
    let pulled = lab
        .engine
        .image(&source_image)
        .await?
        .context("the source")?;
    assert!(image.diff_ids.starts_with(&pulled.diff_ids));
    assert_eq!(image.diff_ids.len(), pulled.diff_ids.len() + 1);
    lab.engine.remove_image(&target).await?;
    socket.close()?;
    assert!(!folder.exists());
    Ok(())
}

#[tokio::test]
async fn the_whole_module_works_with_direct_access_too() -> Result<()> {
    let lab = Lab::enter()?;
    let folder = PathBuf::from(std::env::var("LAB_TMP")?).join("socket-module");
    let names = [
        "a.example/a",
        "a.example/b",
        "falcon-patch.invalid/1:patched",
    ];
    let grant = grant(&lab, names[0], names[1], names[2])?;
    let socket = EngineSocket::open(&lab.engine, &folder, grant, Access::Direct)?;
    let engine = Engine::connect(&EngineSettings {
        docker_host: Some(format!("unix://{}", socket.path().display())),
        ..EngineSettings::default()
    })?;
    let through = Lab {
        engine,
        registry: lab.registry.clone(),
    };
    assert_eq!(through.engine.facts().await?, lab.engine.facts().await?);
    let image = through
        .pulled("containersensor", "7.39.0-7802-arm64-only")
        .await?;
    // Attaching to a container changes the protocol, as BuildKit's sessions do.
    let spec = ContainerSpec {
        name: "engine-test-through".to_owned(),
        image,
        platform: Platform::linux_arm64(),
        command: vec!["-c".to_owned(), "seq 5000".to_owned()],
        entrypoint: Some(vec!["/bin/busybox".to_owned(), "sh".to_owned()]),
        user: None,
        binds: Vec::new(),
        network: Network::None,
        privileged: false,
        labels: Vec::new(),
        env: Vec::new(),
        limit: Duration::from_mins(1),
    };
    let (events, seen) = recorded();
    let end = through.engine.run(&spec, &events).await?;
    assert_eq!(end.exit_code, 0, "{:?}", end.last_lines);
    assert_eq!(seen().len(), 5000);
    Ok(())
}
