//! Every fault of an engine on every kind of request to it, but for those that falconutil sends.

use strum::VariantArray as _;

use crate::adapters::engine::client::{Engine, EngineSettings};
use crate::report::problem::Problem;
use crate::test_support::fault::{Fault, Peer, Rule};
use crate::test_support::fault_table::{Cell, Played, check};
use drive::drive;
use request::EngineRequest;
use stand_in::StandIn;

mod drive;
mod request;
mod stand_in;

/// Requests of one kind that are sent before a failure is given up on: an engine is asked once.
const TRIES: usize = 1;

/// Rule of a cell: that of its fault, unless the request has a reason for another.
#[expect(
    clippy::match_same_arms,
    reason = "each exception has a reason of its own"
)]
fn rule(kind: EngineRequest, fault: Fault) -> Rule {
    use EngineRequest as E;
    match (kind, fault) {
        (_, Fault::Slow) => Rule::Harmless,
        // The engine is asked if it can mount a folder; without an answer the plan says that it is not known.
        (E::MountProbe, _) => Rule::Harmless,
        // The limit of the container ends the wait.
        (E::Wait, Fault::Silent | Fault::Oversized) => Rule::NotBelieved,
        // Lines that only explain, and an end that the next request tells.
        (E::Logs | E::Wait, _) => Rule::Harmless,
        // An image, a container, a path or a volume that is not there is an answer.
        (
            E::InspectImage
            | E::RemoveImage
            | E::RemoveVolume
            | E::HasContainer
            | E::RemoveContainer
            | E::PathStat,
            Fault::NotFoundByName,
        ) => Rule::Harmless,
        // It stays, and the log says so; a container is being removed already.
        (E::RemoveImage | E::RemoveContainer, Fault::Conflict) => Rule::Harmless,
        // The status alone counts; bytes of an archive are held to their digests by its reader.
        (
            E::TagImage
            | E::RemoveVolume
            | E::Start
            | E::StartService
            | E::RemoveContainer
            | E::Download
            | E::Attach,
            Fault::OtherContent | Fault::Page | Fault::Oversized | Fault::InStream | Fault::CutBody,
        ) if !matches!(
            (kind, fault),
            (E::Download, Fault::CutBody)
                | (
                    E::Attach,
                    Fault::OtherContent | Fault::Page | Fault::Oversized | Fault::InStream
                )
        ) =>
        {
            Rule::Harmless
        }
        (E::Load, Fault::OtherContent | Fault::Page) => Rule::Harmless,
        // A document without what is looked for is taken as an engine that does not say.
        (
            E::Version | E::Info | E::InspectImage | E::HasContainer | E::InspectService,
            Fault::OtherContent | Fault::InStream,
        ) => Rule::Harmless,
        // The cleanup tries once more.
        (E::RemoveContainer, _) => Rule::NotBelieved,
        // A pull counts by the image that is there afterwards.
        (E::Pull, Fault::CutBody | Fault::Page | Fault::OtherContent) => Rule::Harmless,
        _ => Rule::Final,
    }
}

/// Plays a fault on the first requests of a kind.
async fn play(kind: EngineRequest, fault: Fault, times: usize) -> Played {
    let at = StandIn::start(kind, fault, times).await;
    let settings = EngineSettings {
        docker_host: Some(format!("tcp://{}", at.host())),
        ..EngineSettings::default()
    };
    let engine = Engine::connect(&settings).expect("an address");
    let ended = drive(kind, &engine).await;
    let cell = format!("{kind:?} × {fault:?} × {times}");
    assert!(at.delivered() > 0, "{cell}: the fault was not delivered");
    let failure = ended.err().map(|error| {
        let problem = Problem::from(error);
        let clean = |text: &String| text.replace(&at.host(), "ENGINE");
        Problem {
            what: clean(&problem.what),
            why: problem.why.iter().map(clean).collect(),
            ..problem
        }
    });
    Played {
        delivered: at.delivered(),
        left: if at.has_container() {
            vec!["a container, which the post-job step removes"]
        } else {
            Vec::new()
        },
        failure,
    }
}

#[tokio::test]
async fn each_fault_of_each_request_ends_as_the_page_says() {
    let mut cells = Vec::new();
    for fault in Fault::of(Peer::Engine) {
        for kind in EngineRequest::VARIANTS.iter().copied() {
            if kind == EngineRequest::PathStat && fault.is_of_body() {
                continue;
            }
            let [once, always] = [1, usize::MAX].map(|times| play(kind, fault, times));
            let cell = Cell {
                fault,
                request: kind.name(),
                once: Box::pin(once).await,
                always: Box::pin(always).await,
            };
            cells.push((cell, rule(kind, fault)));
        }
    }
    check("engine", cells, TRIES);
}
