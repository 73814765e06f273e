//! An engine that stops, and one whose disk is full.
//!
//! One test, because it stops the engine that tests of the same file would share.

use std::time::Duration;

use anyhow::{Context as _, Result};
use falcon_patch_core::{Code, EngineError, Events, Explain as _};
use falcon_patch_engine_tests::engine_lab::{Lab, command, digest, front};

#[tokio::test]
async fn outages_are_told_and_passed_over() -> Result<()> {
    let lab = Lab::enter()?;
    let disk = Disk::of("1g")?;
    a_layer_that_breaks_off_is_fetched_again(&lab).await?;
    an_engine_that_stops_during_a_pull_is_worth_another_try(&lab).await?;
    drop(disk);
    let _disk = Disk::of("40m")?;
    a_full_disk_is_told_as_such(&lab).await
}

/// An empty disk for the engine, so that it has nothing of what earlier tests pulled.
struct Disk(String);

impl Disk {
    fn of(size: &str) -> Result<Self> {
        let disk = Self(format!(
            "{}/var/lib/docker",
            std::env::var("LAB_ENGINE_ROOT")?
        ));
        command("engine", &["stop"])?;
        let size = format!("size={size}");
        command("mount", &["-t", "tmpfs", "-o", &size, "tmpfs", &disk.0])?;
        command("engine", &["start"])?;
        Ok(disk)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Whatever fails here shows in the next test, which finds no engine.
        let _ = command("engine", &["stop"]);
        let _ = command("umount", &["--lazy", &self.0]);
        let _ = command("engine", &["start"]);
    }
}

/// Pulls an image while something is wrong.
async fn pull(lab: &Lab, tag: &str) -> Result<Result<(), EngineError>> {
    let (repository, digest) = (lab.repository("app/web"), digest("app/web", tag)?);
    let events = Events::silent().of_step(1);
    let auth = lab.auth();
    Ok(lab
        .engine
        .pull(&repository, &digest, Some(&auth), &events)
        .await)
}

const LAYERS: &str = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com";

async fn a_layer_that_breaks_off_is_fetched_again(lab: &Lab) -> Result<()> {
    let fault = format!(
        r#"{{"match": {{"host": "{LAYERS}"}}, "after": 1, "count": 2, "cutAfter": 500000}}"#
    );
    front("POST", "/faults", &fault)?;
    let pulled = pull(lab, "root").await?;
    front("DELETE", "/faults", "")?;
    pulled.context("the engine tries again by itself")
}

async fn an_engine_that_stops_during_a_pull_is_worth_another_try(lab: &Lab) -> Result<()> {
    let fault = format!(r#"{{"match": {{"host": "{LAYERS}"}}, "delayMs": 8000}}"#);
    front("POST", "/faults", &fault)?;
    let stop = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        tokio::task::spawn_blocking(|| command("engine", &["stop"])).await?
    };
    let (pulled, stopped) = tokio::join!(pull(lab, "1.4.2"), stop);
    stopped?;
    front("DELETE", "/faults", "")?;
    let error = pulled?.expect_err("the engine stopped");
    assert!(error.is_transient(), "{error:?}");
    let error = lab.engine.facts().await.expect_err("the engine stopped");
    assert_eq!(error.code(), Code::EngineNotReachable);
    command("engine", &["start"])?;
    pull(lab, "1.4.2")
        .await?
        .context("the engine is there again")
}

async fn a_full_disk_is_told_as_such(lab: &Lab) -> Result<()> {
    let error = pull(lab, "oci").await?.expect_err("the image is larger");
    assert_eq!(error.code(), Code::EngineNoSpace, "{error:?}");
    Ok(())
}
