use super::sweep;
use crate::adapters::journal::{Journal, JournalItem};
use crate::domain::agent::{Agent, Owner};
use crate::test_support::agent::agent;
use crate::test_support::loopback_server::{LoopbackServer, Reply};
use std::sync::atomic::{AtomicUsize, Ordering};

#[tokio::test]
async fn folders_are_removed_while_no_engine_answers_and_the_rest_is_kept() {
    let place = tempfile::tempdir().expect("a folder");
    let agent = Agent {
        docker_host: Some(format!("unix://{}/none.sock", place.path().display())),
        ..agent(place.path())
    };
    let folder = place.path().join("temp/falcon-patch-0123");
    let file = place.path().join("draft");
    std::fs::create_dir_all(folder.join("deep")).expect("a folder");
    std::fs::write(&file, "half").expect("a file");
    let earlier = Owner {
        job: "an earlier job".to_owned(),
        ..agent.owner()
    };
    let journal = Journal::open(&agent.journal_folder(), &earlier).expect("a journal");
    let image = JournalItem::Image {
        reference: "registry.example/app@sha256:1".to_owned(),
    };
    let items = [
        JournalItem::Folder {
            path: folder.clone(),
        },
        image,
        JournalItem::File { path: file.clone() },
    ];
    for item in items {
        journal.record("0123", item).expect("a line");
    }
    for removed in [2, 0] {
        let swept = sweep(&agent).await;
        assert_eq!(swept.removed.len(), removed, "{swept:?}");
        assert_eq!(swept.failed.len(), 1, "{swept:?}");
        assert!(
            swept.failed[0].starts_with("No Docker Engine answers"),
            "{swept:?}"
        );
        assert!(journal.own_file().exists());
    }
    assert!(!folder.exists() && !file.exists());
}

#[tokio::test]
async fn a_deployment_on_an_agent_without_an_engine_leaves_nothing_to_warn_of() {
    for uses_engine in [false, true] {
        let place = tempfile::tempdir().expect("a folder");
        let agent = Agent {
            docker_host: Some(format!("unix://{}/none.sock", place.path().display())),
            ..agent(place.path())
        };
        let journal = Journal::open(&agent.journal_folder(), &agent.owner());
        let journal = journal.expect("a journal");
        let path = place.path().join("handover");
        std::fs::create_dir_all(&path).expect("a folder");
        let handover = JournalItem::Handover { path: path.clone() };
        journal.record("0123", handover).expect("a line");
        if uses_engine {
            journal.record("4567", JournalItem::Engine).expect("a line");
        }
        let swept = sweep(&agent).await;
        assert_eq!(swept.removed.len(), 1, "{swept:?}");
        assert_eq!(swept.failed.len(), usize::from(uses_engine), "{swept:?}");
        assert!(!path.exists());
        assert_eq!(journal.own_file().exists(), uses_engine);
    }
}

#[tokio::test]
async fn an_image_that_the_engine_finishes_to_pull_during_the_sweep_is_removed() {
    let reference = "registry.example/app@sha256:1";
    for (appears_at, expected) in [(0, 1), (3, 1), (usize::MAX, 0)] {
        let place = tempfile::tempdir().expect("a folder");
        let looks = AtomicUsize::new(0);
        let engine = LoopbackServer::start(move |received, _| {
            if !received.line.starts_with("DELETE ") {
                return Reply::new(200, &[], "[]");
            }
            if looks.fetch_add(1, Ordering::SeqCst) == appears_at {
                return Reply::new(200, &[], "[]");
            }
            Reply::new(404, &[], r#"{"message":"No such image"}"#)
        })
        .await;
        let agent = Agent {
            docker_host: Some(format!("tcp://{}", engine.host())),
            ..agent(place.path())
        };
        let journal = Journal::open(&agent.journal_folder(), &agent.owner());
        let journal = journal.expect("a journal");
        let reference = reference.to_owned();
        let image = JournalItem::Image {
            reference: reference.clone(),
        };
        for item in [image, JournalItem::Pull { reference }] {
            journal.record("0123", item).expect("a line");
        }
        let swept = sweep(&agent).await;
        assert_eq!(swept.removed.len(), expected, "{appears_at}: {swept:?}");
        assert!(swept.failed.is_empty(), "{swept:?}");
        assert!(!journal.own_file().exists());
    }
}

#[tokio::test]
async fn a_container_that_the_engine_creates_after_a_kill_is_removed() {
    for (is_cut_off, expected) in [(true, 1), (false, 0)] {
        let place = tempfile::tempdir().expect("a folder");
        let looks = AtomicUsize::new(0);
        let engine = LoopbackServer::start(move |received, _| {
            if received.line.starts_with("DELETE ") {
                return Reply::new(204, &[], "");
            }
            // It is not there at once, and no more after its removal.
            let container = r#"[{"Id":"0123","Names":["/falcon-patch-0123-x"]}]"#;
            let found = if looks.fetch_add(1, Ordering::SeqCst) == 3 {
                container
            } else {
                "[]"
            };
            Reply::new(200, &[("content-type", "application/json")], found)
        })
        .await;
        let agent = Agent {
            docker_host: Some(format!("tcp://{}", engine.host())),
            ..agent(place.path())
        };
        let journal = Journal::open(&agent.journal_folder(), &agent.owner());
        let journal = journal.expect("a journal");
        let item = if is_cut_off {
            JournalItem::Folder {
                path: place.path().join("none"),
            }
        } else {
            JournalItem::File {
                path: place.path().join("none"),
            }
        };
        journal.record("0123", item).expect("a line");
        let swept = sweep(&agent).await;
        assert_eq!(swept.removed.len(), expected, "{swept:?}");
        assert!(swept.failed.is_empty(), "{swept:?}");
    }
}

#[tokio::test]
async fn an_image_that_another_run_uses_is_left_to_the_next_job() {
    let place = tempfile::tempdir().expect("a folder");
    let tries = AtomicUsize::new(0);
    let engine = LoopbackServer::start(move |received, _| {
        if received.line.starts_with("DELETE ") && tries.fetch_add(1, Ordering::SeqCst) == 0 {
            return Reply::new(409, &[], r#"{"message":"image is in use"}"#);
        }
        Reply::new(200, &[], "[]")
    })
    .await;
    let agent = Agent {
        docker_host: Some(format!("tcp://{}", engine.host())),
        ..agent(place.path())
    };
    let journal = Journal::open(&agent.journal_folder(), &agent.owner()).expect("a journal");
    let image = JournalItem::Image {
        reference: "registry.example/app@sha256:1".to_owned(),
    };
    journal.record("0123", image).expect("a line");
    let used = sweep(&agent).await;
    assert!(
        used.removed.is_empty() && used.failed.is_empty(),
        "{used:?}"
    );
    assert!(journal.own_file().exists());
    let next = Agent {
        job: "the next job".to_owned(),
        ..agent
    };
    assert_eq!(sweep(&next).await.removed.len(), 1);
    assert!(!journal.own_file().exists());
}
