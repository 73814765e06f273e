//! The choice of the falconutil.

use super::drawing::drawn;
use crate::domain::emulation::Registration;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::flow::facts::probes::Probes;
use crate::test_support::config::config;
use crate::test_support::facts::facts;

#[test]
fn a_multi_architecture_sensor_is_pulled_twice_and_asked_for_its_flags() {
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts()), @r"
    ? Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Pull the sensor image (the agent's platform) sensor@5861314d7fcc | Check that ARM64 programs run | Ask the native falconutil for its flags
    if the native falconutil knows `--platform`: Patch with the native falconutil
    if it does not: Patch with the ARM64 falconutil under emulation
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
}

#[test]
fn a_probed_falconutil_with_the_flag_patches_natively() {
    let mut facts = facts();
    facts.in_engine = [b"source".as_slice(), b"arm64", b"amd64"]
        .into_iter()
        .map(Digest::of)
        .collect();
    facts.probes = Probes {
        arm64_runs: Some(true),
        native_knows_platform: Some(true),
        ..Probes::default()
    };
    insta::assert_snapshot!(drawn(&config(|i| i.additional_tags = "latest\n1-falcon\nstable".into()), &facts), @r"
    Patch with the native falconutil
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon | Add the tag latest | Add the tag stable
    ");
}

#[test]
fn a_native_falconutil_without_the_flag_is_replaced_by_the_arm64_one() {
    let mut facts = facts();
    facts.in_engine = [b"source".as_slice(), b"arm64", b"amd64"]
        .into_iter()
        .map(Digest::of)
        .collect();
    facts.probes = Probes {
        arm64_runs: Some(true),
        native_knows_platform: Some(false),
        ..Probes::default()
    };
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts), @r"
    ? Ask the ARM64 falconutil under emulation for its flags
    Patch with the ARM64 falconutil under emulation
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
    facts.probes.arm64_knows_platform = Some(false);
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts), @r"
    Patch with the ARM64 falconutil under emulation
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
}

#[test]
fn an_arm64_only_sensor_without_emulator_gets_one_installed_before_it_is_asked() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    if let Ok(sensor) = &mut facts.sensor {
        sensor.native = None;
    }
    insta::assert_snapshot!(drawn(&config(|_| {}), &facts), @r"
    ? Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23 | Install the ARM64 emulator of docker.io/tonistiigi/binfmt | Check that ARM64 programs run
    Patch with the ARM64 falconutil under emulation
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
}

#[test]
fn an_arm64_engine_needs_neither_emulator_nor_probe() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    if let Some(Ok(engine)) = &mut facts.engine {
        engine.platform = Platform::linux_arm64();
    }
    if let Ok(sensor) = &mut facts.sensor {
        sensor.native = None;
    }
    insta::assert_snapshot!(drawn(&config(|i| i.emulation = "never".into()), &facts), @r"
    Pull the source image app/web@41cf6794ba42 | Pull the sensor image (linux/arm64) sensor@f69162950f23
    Patch with the native falconutil
    Put the sensor's files on the source and compare the images
    Push the image to 123456789012.dkr.ecr.eu-west-1.amazonaws.com/app/web
    Read the pushed image back
    Record what the image was made of
    Add the tag 1-falcon
    ");
}
