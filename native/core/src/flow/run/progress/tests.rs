//! The way of outcomes into facts and results.

use super::Progress;
use crate::domain::emulation::Registration;
use crate::domain::falcon::program::ProgramObstacle;
use crate::domain::graft::obstacle::Obstacle;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::facts::staged::Staged;
use crate::flow::outcome::RecordSigner;
use crate::flow::plan::target_state::TargetState;
use crate::flow::run::assemble::pushed_image::PushedImage;
use crate::flow::run::step_outcome::StepOutcome;
use crate::flow::run::written_task_definition::WrittenTaskDefinition;
use crate::report::code::Code;
use crate::report::problem::Problem;
use crate::test_support::config::config;
use crate::test_support::facts::{facts, up_to_date};

fn progress() -> Progress {
    let (config, facts) = (config(|_| {}), facts());
    let state = TargetState::of(&config, &facts);
    Progress::new(&config, facts, state)
}

fn code<T>(result: Result<T, Problem>) -> Option<Code> {
    result.err().map(|problem| problem.code)
}

#[test]
fn a_product_that_no_step_has_produced_is_a_bug_of_the_task() {
    let results = progress().results;
    let bug = Some(Code::TaskInternal);
    assert_eq!(code(results.ready()), bug);
    assert_eq!(code(results.pushed()), bug);
    assert_eq!(code(results.image()), bug);
    assert_eq!(code(results.task_definition()), bug);
}

#[test]
fn a_kept_image_takes_the_place_of_a_pushed_one() {
    let config = config(|_| {});
    let facts = up_to_date(&config);
    let target = facts.target.as_ref().expect("a target");
    let kept = target.current.as_ref().expect("an image").image.clone();
    let state = TargetState::of(&config, &facts);
    let progress = Progress::new(&config, facts, state);
    let image = progress.results.image().expect("the kept image");
    assert_eq!(image.digest, kept.digest);
    assert_eq!(progress.results.record, Some(RecordSigner::Unsigned));
}

#[test]
fn staging_makes_the_engine_forget_its_images() {
    let mut progress = progress();
    progress.add(StepOutcome::Pulled(Digest::of(b"arm64")));
    assert!(progress.facts.in_engine.contains(&Digest::of(b"arm64")));
    let local = "127.0.0.1:32768";
    let staged = Staged {
        source: Repository::new(local, "app/web"),
        source_digest: Digest::of(b"source"),
        sensor: Repository::new(local, "sensor"),
    };
    progress.add(StepOutcome::Staged(staged.clone()));
    assert!(progress.facts.in_engine.is_empty());
    assert_eq!(progress.facts.staged, Some(staged));
}

#[test]
fn a_new_emulator_opens_the_question_of_arm64_programs_again() {
    let mut progress = progress();
    progress.add(StepOutcome::Arm64Runs(false));
    progress.add(StepOutcome::EmulatorInstalled(Registration::Absent));
    let probes = &progress.facts.probes;
    assert_eq!((probes.arm64_runs, probes.emulator_installed), (None, true));
    assert_eq!(progress.facts.handler, Registration::Absent);
}

#[test]
fn each_falconutil_has_an_answer_of_its_own() {
    for arm64 in [true, false] {
        let mut progress = progress();
        progress.add(StepOutcome::KnowsPlatform { arm64, knows: true });
        let probes = &progress.facts.probes;
        let answers = (probes.arm64_knows_platform, probes.native_knows_platform);
        let yes = Some(true);
        assert_eq!(answers, if arm64 { (yes, None) } else { (None, yes) });
    }
}

#[test]
fn an_obstacle_rules_out_a_graft() {
    let mut progress = progress();
    progress.add(StepOutcome::NotGrafted(Obstacle::OnBuild));
    assert_eq!(progress.facts.probes.graft, Some(Err(Obstacle::OnBuild)));
    assert!(progress.results.ready().is_err());
}

#[test]
fn pushed_and_written_products_are_there_for_later_steps() {
    let mut progress = progress();
    let digest = Digest::of(b"pushed");
    let is_new = true;
    progress.add(StepOutcome::Pushed(PushedImage { digest, is_new }));
    progress.add(StepOutcome::TaskDefinition(WrittenTaskDefinition {
        family: "web".to_owned(),
        path: "/out.json".into(),
        text: "{}".to_owned(),
        revision: None,
    }));
    let results = progress.results;
    let pushed = results.pushed().expect("a pushed image");
    assert_eq!(pushed.digest, Digest::of(b"pushed"));
    let written = results.task_definition().expect("a definition");
    assert_eq!(written.family, "web");
}

#[test]
fn the_first_obstacle_to_the_program_is_the_reason() {
    let mut progress = progress();
    progress.add(StepOutcome::Program(Ok(())));
    assert_eq!(progress.facts.probes.program, Some(Ok(())));
    let first = ProgramObstacle::Ended { exit_code: 139 };
    progress.add(StepOutcome::Program(Err(first.clone())));
    progress.add(StepOutcome::Program(Err(ProgramObstacle::NotMountable)));
    progress.add(StepOutcome::Program(Ok(())));
    assert_eq!(progress.facts.probes.program, Some(Err(first)));
}
