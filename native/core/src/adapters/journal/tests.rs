//! The journal through crashes and among strangers.

use std::fs;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use super::{Journal, JournalItem};
use crate::domain::agent::Owner;

fn open(folder: &Path, agent: &str, job: &str) -> Journal {
    let owner = Owner {
        agent: agent.to_owned(),
        job: job.to_owned(),
    };
    Journal::open(folder, &owner).expect("a journal")
}

fn image(reference: &str) -> JournalItem {
    JournalItem::Image {
        reference: reference.to_owned(),
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("a path").permissions().mode() & 0o777
}

#[test]
fn the_next_job_of_the_same_agent_finds_what_a_crashed_one_left() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("deep/journal");
    let crashed = open(&folder, "agent-1", "job-1");
    let items = [
        image("r@sha256:1"),
        JournalItem::Tag {
            reference: "r:tmp".to_owned(),
        },
        JournalItem::Folder {
            path: "/tmp/with \"quotes\"\nand lines".into(),
        },
    ];
    for item in &items {
        crashed.record("run-1", item.clone()).expect("a line");
    }
    let next = open(&folder, "agent-1", "job-2");
    next.record("run-2", image("r@sha256:2")).expect("a line");

    let left = next.others().expect("leftovers");
    assert_eq!(left.len(), 1);
    let found: Vec<_> = left[0].entries.iter().map(|e| e.item.clone()).collect();
    assert_eq!(found, items);
    assert!(
        left[0]
            .entries
            .iter()
            .all(|e| e.run == "run-1" && e.owner.job == "job-1")
    );
    assert_eq!(next.entries_of("job-2").expect("entries").len(), 1);
    assert_eq!(next.entries_of("job-1").expect("entries").len(), 3);
    assert_eq!(next.entries_of("job-3").expect("entries").len(), 0);

    next.forget(&left[0].file).expect("forgotten");
    next.forget(&left[0].file).expect("forgotten already");
    assert!(next.others().expect("leftovers").is_empty());
}

#[test]
fn other_agents_in_the_same_folder_are_strangers() {
    let root = tempfile::tempdir().expect("a folder");
    let stranger = open(root.path(), "agent-2", "job-1");
    stranger.record("run", image("theirs")).expect("a line");
    let ours = open(root.path(), "agent-1", "job-1");
    ours.record("run", image("ours")).expect("a line");
    assert!(ours.others().expect("leftovers").is_empty());
    ours.forget(&stranger.own_file()).expect("nothing to do");
    assert_eq!(stranger.entries_of("job-1").expect("entries").len(), 1);
    // Even a file under our name is not believed where a line in it is another's.
    fs::copy(stranger.own_file(), ours.own_file()).expect("a copy");
    assert!(ours.entries_of("job-1").expect("entries").is_empty());
}

#[test]
fn a_file_that_is_not_of_the_journal_is_not_removed() {
    let root = tempfile::tempdir().expect("a folder");
    let journal = open(&root.path().join("journal"), "agent", "job");
    let outside = root
        .path()
        .join(journal.own_file().file_name().expect("a name"));
    fs::write(&outside, "").expect("a file");
    journal.forget(&outside).expect("nothing to do");
    assert!(outside.exists());
}

#[test]
fn a_line_that_a_crash_cut_off_is_skipped_and_harms_no_other() {
    let root = tempfile::tempdir().expect("a folder");
    let journal = open(root.path(), "agent", "job");
    journal.record("run", image("first")).expect("a line");
    let mut bytes = fs::read(journal.own_file()).expect("a file");
    let cut = bytes.len() / 2;
    bytes.extend_from_within(..cut);
    bytes.extend_from_slice(b"\xff\xfe");
    fs::write(journal.own_file(), bytes).expect("a torn file");
    journal.record("run", image("last")).expect("a line");
    let items: Vec<_> = journal.entries_of("job").expect("entries");
    let items: Vec<_> = items.into_iter().map(|entry| entry.item).collect();
    assert_eq!(items, [image("first"), image("last")]);
}

#[test]
fn nobody_else_can_read_or_write_it() {
    let root = tempfile::tempdir().expect("a folder");
    let folder = root.path().join("journal");
    fs::create_dir(&folder).expect("a folder");
    fs::set_permissions(&folder, Permissions::from_mode(0o777)).expect("a mode");
    let journal = open(&folder, "agent", "../../job");
    journal.record("run", image("r")).expect("a line");
    assert_eq!((mode(&folder), mode(&journal.own_file())), (0o700, 0o600));
    assert_eq!(journal.own_file().parent(), Some(&*folder));
}

#[test]
fn a_link_to_elsewhere_is_no_journal() {
    let root = tempfile::tempdir().expect("a folder");
    let elsewhere = root.path().join("elsewhere");
    fs::create_dir(&elsewhere).expect("a folder");
    fs::set_permissions(&elsewhere, Permissions::from_mode(0o755)).expect("a mode");
    let link = root.path().join("journal");
    std::os::unix::fs::symlink(&elsewhere, &link).expect("a link");
    let owner = Owner {
        agent: "agent".to_owned(),
        job: "job".to_owned(),
    };
    Journal::open(&link, &owner).expect_err("a link");
    assert_eq!(mode(&elsewhere), 0o755);
}
