//! The emulator.

use super::drawing::{drawn, refusal};
use crate::domain::emulation::Registration;
use crate::report::code::Code;
use crate::test_support::config::config;
use crate::test_support::facts::facts;

#[test]
fn an_engine_under_another_kernel_is_tried_before_an_emulator_is_installed() {
    let mut facts = facts();
    facts.handler = Registration::Unknown;
    assert!(!drawn(&config(|_| {}), &facts).contains("Install"));
    facts.probes.arm64_runs = Some(false);
    assert!(drawn(&config(|_| {}), &facts).contains("Install"));
    assert_eq!(
        refusal(&config(|i| i.emulation = "never".into()), &facts).code,
        Code::EmulationMissing
    );
}

#[test]
fn an_emulator_is_installed_only_where_that_is_allowed_and_only_once() {
    let mut facts = facts();
    facts.handler = Registration::Absent;
    assert_eq!(
        refusal(&config(|i| i.emulation = "never".into()), &facts).code,
        Code::EmulationMissing
    );
    facts.probes.emulator_installed = true;
    assert_eq!(
        refusal(&config(|_| {}), &facts).code,
        Code::EmulationNoEffect
    );
}

#[test]
fn a_registered_emulator_that_runs_nothing_is_refused() {
    let mut facts = facts();
    facts.probes.arm64_runs = Some(false);
    assert_eq!(
        refusal(&config(|_| {}), &facts).code,
        Code::EmulationNoEffect
    );
}
