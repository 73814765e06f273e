//! Facts and images of a real engine, against a registry that behaves as ECR does.

use anyhow::{Context as _, Result};
use falcon_patch_core::{
    Code, Digest, Engine, EngineSettings, Event, Events, Explain as _, Platform, Removal, Store,
    Tag,
};
use falcon_patch_engine_tests::engine_lab::{Lab, command, digest, recorded};

#[tokio::test]
async fn the_engine_is_what_the_lab_started() -> Result<()> {
    let lab = Lab::enter()?;
    let facts = lab.engine.facts().await?;
    let expected = match std::env::var("LAB_STORE")?.as_str() {
        "containerd" => Store::Containerd,
        _ => Store::Overlay2,
    };
    assert_eq!(facts.store, expected);
    let version = std::env::var("LAB_ENGINE_VERSION")?;
    assert!(facts.version.starts_with(&version), "{facts:?}");
    assert_eq!(facts.platform, Platform::linux("amd64"));
    assert!(facts.is_local, "{facts:?}");
    Ok(())
}

#[tokio::test]
async fn an_engine_that_is_not_there_is_not_reachable() -> Result<()> {
    for (in_container_job, code) in [
        (false, Code::EngineNotReachable),
        (true, Code::EngineInContainerJob),
    ] {
        let engine = Engine::connect(&EngineSettings {
            docker_host: Some("unix:///run/no-engine.sock".to_owned()),
            in_container_job,
            ..EngineSettings::default()
        })?;
        let error = engine.facts().await.expect_err("nothing listens");
        assert_eq!(error.code(), code);
        let error = engine
            .tag("a", "b", "c")
            .await
            .expect_err("nothing listens");
        assert_eq!(error.code(), code, "bollard's way to the engine");
    }
    Ok(())
}

#[tokio::test]
async fn an_arm64_image_is_pulled_by_digest_on_an_amd64_machine() -> Result<()> {
    let lab = Lab::enter()?;
    let (repository, digest) = (lab.repository("app/web"), digest("app/web", "root")?);
    let reference = repository.at(&digest);
    assert_eq!(lab.engine.image(&reference).await?, None);
    let (events, seen) = recorded();
    let auth = lab.auth();
    lab.engine
        .pull(&repository, &digest, Some(&auth), &events)
        .await?;

    let image = lab.engine.image(&reference).await?.context("the image")?;
    assert_eq!(image.platform, Platform::linux_arm64());
    assert_eq!(image.platforms, [Platform::linux_arm64()]);
    assert_eq!(image.diff_ids.len(), 2);
    assert_eq!(image.config["Entrypoint"][0], "/docker-entrypoint.sh");
    assert!(image.repo_digests.contains(&reference), "{image:?}");
    assert!(image.repo_tags.is_empty() && image.size > 0, "{image:?}");
    let seen = seen();
    let last = seen
        .iter()
        .rfind(|event| matches!(event, Event::Progress { .. }));
    let Some(Event::Progress { current, total, .. }) = last else {
        anyhow::bail!("no progress: {seen:?}");
    };
    assert_eq!(Some(*current), *total);
    assert!(*current > 10_000_000, "{current}");
    Ok(())
}

#[tokio::test]
async fn refused_pulls_tell_why() -> Result<()> {
    let lab = Lab::enter()?;
    let events = Events::silent().of_step(1);
    let known = digest("app/web", "amd64-only")?;
    let unknown = Digest::of(b"nothing");
    let (auth, wrong) = (lab.auth(), lab.auth_with("wrong"));
    let mut elsewhere = lab.repository("app/web");
    elsewhere.registry = "127.0.0.1:5999".to_owned();
    for (repository, digest, auth, code) in [
        (
            lab.repository("app/web"),
            &known,
            None,
            Code::RegistryDenied,
        ),
        (
            lab.repository("app/web"),
            &known,
            Some(&wrong),
            Code::RegistryDenied,
        ),
        (
            lab.repository("app/web"),
            &unknown,
            Some(&auth),
            Code::RegistryImageNotFound,
        ),
        (elsewhere, &known, None, Code::RegistryNotReachable),
    ] {
        let pull = lab.engine.pull(&repository, digest, auth, &events).await;
        let error = pull.expect_err("a refusal");
        assert_eq!(error.code(), code, "{error:?}");
        assert!(
            error.to_string().contains(&repository.at(digest)),
            "{error}"
        );
    }
    Ok(())
}

#[tokio::test]
async fn an_image_is_tagged_and_removed() -> Result<()> {
    let lab = Lab::enter()?;
    let source = lab.pulled("app/web", "no-entrypoint").await?;
    let target = lab.repository("app/target");
    let tag: Tag = "tagged".parse()?;
    lab.engine
        .tag(&source, &target.to_string(), tag.as_str())
        .await?;
    let name = target.tagged(&tag);
    assert_eq!(lab.engine.remove_image(&name).await?, Removal::Removed);
    assert_eq!(lab.engine.remove_image(&name).await?, Removal::Absent);
    assert_eq!(lab.engine.image(&name).await?, None);
    assert!(
        lab.engine.image(&source).await?.is_some(),
        "the source keeps its name"
    );
    assert_eq!(lab.engine.remove_image(&source).await?, Removal::Removed);
    Ok(())
}

#[tokio::test]
async fn an_index_with_several_platforms_is_told_apart() -> Result<()> {
    let lab = Lab::enter()?;
    // The registry behind the sign-in speaks plain HTTP, which engines accept on loopback.
    let index = "127.0.0.1:5001/app/web:1.4.2-index";
    let facts = lab.engine.facts().await?;
    for platform in ["linux/amd64", "linux/arm64"] {
        command(
            "docker",
            &["pull", "--quiet", "--platform", platform, index],
        )?;
    }
    let image = lab.engine.image(index).await?.context("the image")?;
    let tells_all = facts.store == Store::Containerd && lab.major_version().await? >= 28;
    assert_eq!(
        image.platforms.len(),
        if tells_all { 2 } else { 1 },
        "{image:?}"
    );
    Ok(())
}
