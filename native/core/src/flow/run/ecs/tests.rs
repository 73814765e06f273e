//! The effects of a task definition that is written and registered, as far as the answers tell.

use std::path::Path;
use std::time::Duration;

use super::Run;
use crate::adapters::aws::tests::trying;
use crate::domain::reference::repository::Repository;
use crate::flow::effect::Effect;
use crate::flow::run::session::Session;
use crate::flow::run::written_task_definition::WrittenTaskDefinition;
use crate::report::code::Code;
use crate::report::event::Events;
use crate::test_support::agent::agent;
use crate::test_support::config::{HOST, config};
use crate::test_support::loopback_server::{LoopbackServer, Reply};

/// Status and body of an answer; status 0 closes the connection, and none answers never.
type Answers = &'static [(u16, &'static str)];

const REVISION: (u16, &str) = (
    200,
    r#"{"taskDefinition": {"taskDefinitionArn": "arn:web:7", "revision": 7}}"#,
);

const REFUSAL: (u16, &str) = (400, r#"{"__type": "ClientException", "message": "no"}"#);

fn run(place: &Path) -> Run {
    let session = Session::new(config(|_| ()), agent(place), Events::silent());
    Run::open(session).expect("a run")
}

async fn registered(answers: Answers) -> Vec<Effect> {
    let server = LoopbackServer::start(move |_, nth| match answers.get(nth) {
        Some((0, _)) => Reply::none(),
        Some((status, body)) => Reply::new(*status, &[], body),
        None => Reply::never(),
    })
    .await;
    let place = tempfile::tempdir().expect("a folder");
    let mut run = run(place.path());
    run.services = run.services.with(None, Some(trying(&server, 2)));
    let written = WrittenTaskDefinition {
        family: "web".to_owned(),
        path: place.path().join("out.json"),
        text: "{}".to_owned(),
        revision: None,
    };
    let target = Repository::new(HOST, "app/web");
    let step = Events::silent().of_step(1);
    let registration = run.register_task_definition(&written, &target, &step);
    // A run that is cancelled drops its work in the same way.
    let _ = tokio::time::timeout(Duration::from_secs(2), registration).await;
    run.effects.into_inner()
}

#[tokio::test]
async fn every_revision_that_may_be_there_is_reported() {
    let begun = Effect::RegistrationBegun {
        family: "web".to_owned(),
    };
    let done = Effect::TaskDefinitionRegistered {
        arn: "arn:web:7".to_owned(),
    };
    let cases: [(Answers, Vec<Effect>); 7] = [
        (&[REVISION], vec![done.clone()]),
        (&[REFUSAL], Vec::new()),
        (&[(0, ""), REVISION], vec![begun.clone(), done]),
        (&[(500, "{}"), REFUSAL], vec![begun.clone()]),
        (&[(0, ""), (0, "")], vec![begun.clone()]),
        (&[(200, "{}")], vec![begun.clone()]),
        (&[], vec![begun]),
    ];
    for (answers, expected) in cases {
        assert_eq!(registered(answers).await, expected, "{answers:?}");
    }
}

#[tokio::test]
async fn a_file_is_written_as_a_whole_and_not_through_a_link() {
    let place = tempfile::tempdir().expect("a folder");
    let run = run(place.path());
    let (path, link) = (place.path().join("out.json"), place.path().join("link"));
    std::os::unix::fs::symlink(&path, &link).expect("a link");
    let problem = run
        .definition_file()
        .replace(&link, "{}")
        .await
        .expect_err("a link");
    assert_eq!(problem.code, Code::EcsOutputNotWritable);
    assert_eq!(problem.why, ["it is a symbolic link"]);
    assert!(!path.exists());
    run.definition_file()
        .replace(&path, "{}")
        .await
        .expect("a file");
    let names = std::fs::read_dir(place.path()).expect("a folder");
    let mut names: Vec<_> = names
        .map(|entry| entry.expect("an entry").file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["link", "out.json", "work"], "no draft is left");
}
