//! Plans as text, for snapshots.

use crate::domain::reference::repository::Repository;
use crate::flow::config::patch::PatchConfig;
use crate::flow::facts::patch::Facts;
use crate::flow::plan::decide::plan;
use crate::flow::plan::stages::Plan;
use crate::flow::plan::target_state::TargetState;
use crate::report::problem::Problem;
use crate::test_support::config::HOST;

/// The plan for the facts, with the state of the target in them.
pub fn decided(config: &PatchConfig, facts: &Facts) -> Result<Plan, Problem> {
    let state = TargetState::of(config, facts);
    plan(config, facts, state)
}

/// A repository of ECR.
pub fn repository(name: &str) -> Repository {
    Repository::new(HOST, name)
}

/// The plan as text, a line a stage.
pub fn drawn(config: &PatchConfig, facts: &Facts) -> String {
    let plan = decided(config, facts).expect("there is a plan");
    let lines = plan.stages.iter().map(|stage| {
        let steps: Vec<String> = stage.steps.iter().map(ToString::to_string).collect();
        let condition = stage
            .only_if
            .map_or_else(String::new, |only_if| format!("if {only_if}: "));
        let probe = if stage.probes { "? " } else { "" };
        format!("{probe}{condition}{}", steps.join(" | "))
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The problem that rules out a plan.
pub fn refusal(config: &PatchConfig, facts: &Facts) -> Problem {
    decided(config, facts).expect_err("a refusal")
}
