//! The question for the program's flags, to an engine that answers in each way.

use std::io::Write as _;
use std::path::Path;

use serde_json::{Value, json};

use super::falconutil;
use crate::adapters::program_folder::{ProgramFolder, create};
use crate::domain::agent::Agent;
use crate::domain::falcon::program::ProgramObstacle;
use crate::domain::platform::Platform;
use crate::domain::reference::digest::Digest;
use crate::domain::reference::repository::Repository;
use crate::flow::plan::step::NativeProgram;
use crate::flow::run::context::Run;
use crate::flow::run::session::Session;
use crate::flow::run::step_outcome::StepOutcome;
use crate::report::event::Events;
use crate::report::problem::Problem;
use crate::test_support::agent::agent;
use crate::test_support::config::config;
use crate::test_support::loopback_server::{LoopbackServer, Received, Reply};

const JSON: [(&str, &str); 1] = [("content-type", "application/json")];

/// A refusal of the engine: its status and its words.
type Refusal = (u16, &'static str);

/// The end of a container in an engine.
#[derive(Clone, Copy)]
struct End {
    create: Option<Refusal>,
    start: Option<Refusal>,
    line: &'static str,
    exit_code: i64,
}

const HELP: End = End {
    create: None,
    start: None,
    line: "  -platform string\n",
    exit_code: 0,
};

/// The answer of an engine whose containers end so.
fn answer(end: End, received: &Received) -> Reply {
    let json = |status, value: Value| Reply::new(status, &JSON, value.to_string());
    let refusal = |(status, message): Refusal| json(status, json!({"message": message}));
    let line = received.line.as_str();
    if line.contains("/containers/create") {
        let created = || json(201, json!({"Id": "c0ffee", "Warnings": []}));
        end.create.map_or_else(created, refusal)
    } else if line.contains("/attach") {
        let length = u8::try_from(end.line.len()).expect("it is short");
        let frame = [&[1, 0, 0, 0, 0, 0, 0, length], end.line.as_bytes()].concat();
        let head = "HTTP/1.1 101 UPGRADED\r\nconnection: Upgrade\r\nupgrade: tcp\r\ncontent-type: application/vnd.docker.multiplexed-stream\r\n\r\n";
        Reply::of([head.as_bytes(), &frame].concat())
    } else if line.contains("/start") {
        let started = || Reply::new(204, &[], "");
        end.start.map_or_else(started, refusal)
    } else if line.contains("/wait") {
        json(200, json!({"StatusCode": end.exit_code}))
    } else if line.starts_with("DELETE ") {
        Reply::new(204, &[], "")
    } else {
        let state = json!({"Running": false, "ExitCode": end.exit_code, "OOMKilled": false});
        json(200, json!({"State": state}))
    }
}

/// Keeps a program for an image on an agent.
fn keep(agent: &Agent, image: &Digest) {
    let programs = ProgramFolder::of(&agent.journal_folder(), image);
    let draft = programs.draft("0123");
    let mut file = create(&draft).expect("a draft");
    file.write_all(b"program").expect("a draft");
    let kept = programs.keep(&draft, &Digest::of(b"program"));
    kept.expect("a program");
}

/// Asks a kept program in an engine whose containers end so, and returns the engine too.
async fn ask(place: &Path, end: End) -> (Result<StepOutcome, Problem>, LoopbackServer) {
    let engine = LoopbackServer::start(move |received, _| answer(end, received)).await;
    let agent = Agent {
        docker_host: Some(format!("tcp://{}", engine.host())),
        ..agent(place)
    };
    let program = NativeProgram {
        repository: Repository::new("registry.example", "sensor"),
        image: Digest::of(b"amd64"),
        platform: Platform::linux("amd64"),
    };
    let session = Session::new(config(|_| ()), agent.clone(), Events::silent());
    let run = Run::open(session).expect("a run");
    keep(&agent, &program.image);
    let events = Events::silent().of_step(1);
    let asked = run.probe_falconutil(&falconutil(&program), &events).await;
    (asked, engine)
}

/// The obstacle that an end is.
async fn obstacle(end: End) -> ProgramObstacle {
    let place = tempfile::tempdir().expect("a folder");
    match ask(place.path(), end).await.0 {
        Ok(StepOutcome::Program(Err(obstacle))) => obstacle,
        Ok(_) => panic!("another outcome"),
        Err(problem) => panic!("{problem:?}"),
    }
}

#[tokio::test]
async fn a_program_that_runs_is_asked_in_the_arm64_image_and_confined() {
    let place = tempfile::tempdir().expect("a folder");
    let (asked, engine) = ask(place.path(), HELP).await;
    assert!(matches!(
        asked,
        Ok(StepOutcome::KnowsPlatform {
            arm64: false,
            knows: true
        })
    ));
    let received = engine.received();
    let mut received = received.iter();
    let create = received.find(|received| received.line.contains("/containers/create"));
    let create = create.expect("a container");
    let line = &create.line;
    assert!(line.contains("platform=linux%2Farm64"), "{line}");
    let body: Value = serde_json::from_slice(&create.body).expect("JSON");
    assert_eq!(body["Image"], "sensor");
    assert_eq!(body["Cmd"], json!(["patch-image", "--help"]));
    let host = &body["HostConfig"];
    assert_eq!(host["NetworkMode"], "none");
    assert_eq!(host["Privileged"], false);
    let mounts = host["Mounts"].as_array().expect("mounts");
    assert_eq!(mounts.len(), 1);
    assert_eq!(mounts[0]["ReadOnly"], true);
    assert_eq!(body["Entrypoint"], json!([mounts[0]["Target"]]));
}

#[tokio::test]
async fn each_end_that_is_not_an_answer_is_an_obstacle() {
    for exit_code in [126, 127, 137, 139] {
        let end = End { exit_code, ..HELP };
        assert_eq!(obstacle(end).await, ProgramObstacle::Ended { exit_code });
    }
    // It may lack something of its image.
    let lacking = End {
        line: "cannot open /etc/falcon\n",
        exit_code: 1,
        ..HELP
    };
    let exit_code = 1;
    let seen = obstacle(lacking).await;
    assert_eq!(seen, ProgramObstacle::Ended { exit_code });
}

#[tokio::test]
async fn an_engine_that_does_not_take_the_program_is_an_obstacle() {
    let missing = "invalid mount config: bind source path does not exist: /x";
    let format = "exec /falcon-patch-falconutil: exec format error";
    let denied = "exec: \"/falcon-patch-falconutil\": permission denied";
    for (create, start) in [
        (Some((400, missing)), None),
        (None, Some((400, format))),
        (None, Some((400, denied))),
    ] {
        let end = End {
            create,
            start,
            ..HELP
        };
        let seen = obstacle(end).await;
        assert!(matches!(seen, ProgramObstacle::Engine(_)), "{seen:?}");
    }
}
